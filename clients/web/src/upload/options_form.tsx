import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useOffered } from "../api/pipelines";
import type { TextEngine } from "../api/types";
import type { FieldErrors, FieldName, OptionFields } from "./options";

interface Props {
  fields: Signal<OptionFields>;
  errors: FieldErrors;
}

/** What jobs may be asked for, with explanations; pipelines and engines are those of the service. */
export function OptionsForm({ fields, errors }: Props) {
  const { offered, problem } = useOffered();
  const set = (name: FieldName, value: string) => {
    fields.value = { ...fields.value, [name]: value };
  };
  const text = (
    name: FieldName,
    label: string,
    hint: ComponentChildren,
    mode: "text" | "decimal" = "text",
  ) => (
    <Field id={name} label={label} hint={hint} error={errors[name]}>
      <input
        id={name}
        type="text"
        inputMode={mode}
        value={fields.value[name]}
        onInput={(event) => set(name, event.currentTarget.value)}
        {...describedBy(name, errors[name])}
      />
    </Field>
  );
  const { pipelines, text_engines: engines } = offered;
  const pipeline = pipelines.find((one) =>
    fields.value.pipeline ? one.pipeline_id === fields.value.pipeline : one.is_default,
  );
  const languages = engines.flatMap((engine) => engine.languages ?? []);
  return (
    <div class="options">
      {problem && <p class="problem">{problem}</p>}
      <Field id="pipeline" label="Analysis" hint={pipeline?.description ?? "What is looked for."}>
        <select
          id="pipeline"
          value={fields.value.pipeline}
          onChange={(event) => set("pipeline", event.currentTarget.value)}
          {...describedBy("pipeline")}
        >
          {pipelines.map((one) => (
            <option key={one.pipeline_id} value={one.is_default ? "" : one.pipeline_id}>
              {one.pipeline_id}
            </option>
          ))}
        </select>
      </Field>
      <SamplingField fields={fields} errors={errors} set={set} />
      <div class="pair">
        {text("start", "From", "A time such as 90 or 1:30; empty: the first picture.")}
        {text("end", "Until", "The picture at this time is left out; empty: the last one.")}
      </div>
      <div class="pair">
        {text("maxFrames", "Most pictures", "Stops after so many; empty: no limit.", "decimal")}
        {text("minConfidence", "Least confidence, %", "Empty: the worker's setting.", "decimal")}
      </div>
      <RegionField fields={fields} errors={errors} set={set} />
      {text(
        "classes",
        "Only these objects",
        "Names as the model has them, separated by commas: car, person. Empty: all.",
      )}
      <Field
        id="textEngine"
        label="Text is read by"
        hint={hintOfEngine(engines.find((one) => one.id === fields.value.textEngine))}
      >
        <select
          id="textEngine"
          value={fields.value.textEngine}
          onChange={(event) => set("textEngine", event.currentTarget.value)}
          {...describedBy("textEngine")}
        >
          <option value="">the worker's setting</option>
          {engines.map((engine) => (
            <option key={engine.id} value={engine.id}>
              {engine.name}
            </option>
          ))}
        </select>
      </Field>
      {languages.length > 0 &&
        text(
          "languages",
          "Languages of the text",
          `For Tesseract, the most frequent first: ${languages.join(", ")}.`,
        )}
    </div>
  );
}

function hintOfEngine(engine: TextEngine | undefined): string {
  const all = engine?.scripts?.length ? `It reads these scripts: ${engine.scripts.join(", ")}.` : "";
  return all || "PP-OCR is for signs and captions, Tesseract for documents and screens.";
}

type PartProps = Props & { set: (name: FieldName, value: string) => void };

const SAMPLINGS = [
  { value: "every", label: "Every picture" },
  { value: "rate", label: "So many a second" },
  { value: "stride", label: "Every nth picture" },
];

function SamplingField({ fields, errors, set }: PartProps) {
  const { sampling } = fields.value;
  const number = sampling === "rate" ? "rate" : "stride";
  const label = sampling === "rate" ? "Pictures a second" : "n";
  return (
    <fieldset class="field">
      <legend>Pictures</legend>
      <div class="row">
        {SAMPLINGS.map((one) => (
          <label key={one.value} class="choice">
            <input
              type="radio"
              name="sampling"
              checked={sampling === one.value}
              onChange={() => set("sampling", one.value)}
            />
            {one.label}
          </label>
        ))}
        {sampling !== "every" && (
          <label class="choice">
            {label}
            <input
              class="short"
              type="text"
              inputMode="decimal"
              value={fields.value[number]}
              onInput={(event) => set(number, event.currentTarget.value)}
              {...describedBy("sampling", errors[number])}
            />
          </label>
        )}
      </div>
      <Hint id="sampling" error={errors[number]}>
        Fewer pictures are analysed faster and cost less; two a second are enough for most questions.
      </Hint>
    </fieldset>
  );
}

const EDGES = [
  { name: "left", label: "Left" },
  { name: "top", label: "Top" },
  { name: "right", label: "Right" },
  { name: "bottom", label: "Bottom" },
] as const;

function RegionField({ fields, errors, set }: PartProps) {
  const error = errors.left ?? errors.top ?? errors.right ?? errors.bottom;
  return (
    <fieldset class="field">
      <legend>Part of the picture, in %</legend>
      <div class="edges">
        {EDGES.map(({ name, label }) => (
          <label key={name} class="choice">
            {label}
            <input
              class="short"
              type="text"
              inputMode="decimal"
              value={fields.value[name]}
              onInput={(event) => set(name, event.currentTarget.value)}
              {...describedBy("region", errors[name])}
            />
          </label>
        ))}
      </div>
      <Hint id="region" error={error}>
        Edges, counted from the upper left corner; nothing outside them is looked at.
      </Hint>
    </fieldset>
  );
}

interface FieldProps {
  id: string;
  label: string;
  hint: ComponentChildren;
  error?: string | undefined;
  children: ComponentChildren;
}

function Field({ id, label, hint, error, children }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <Hint id={id} error={error}>
        {hint}
      </Hint>
    </div>
  );
}

function Hint({
  id,
  error,
  children,
}: {
  id: string;
  error?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <p id={`${id}-hint`} class={error ? "hint wrong" : "hint"}>
      {error ?? children}
    </p>
  );
}

function describedBy(name: string, error?: string) {
  return { "aria-describedby": `${name}-hint`, ...(error ? { "aria-invalid": "true" as const } : {}) };
}
