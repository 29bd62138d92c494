import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { sentenceOf } from "./api/errors";

/** Something that is done only if the user says so. */
export interface Question {
  title: string;
  text: string;
  yes: string;
  act: () => Promise<void>;
}

/** Shows the question, if there is one; a failure of its action is told in it. */
export function QuestionDialog({ question }: { question: Signal<Question | null> }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const problem = useSignal("");
  /** The question whose action runs. */
  const busy = useSignal<Question | null>(null);
  const asked = question.value;
  useEffect(() => {
    problem.value = "";
    if (asked) dialog.current?.showModal();
    else dialog.current?.close();
  }, [asked, problem]);
  const act = async () => {
    const isStillAsked = () => question.peek() === asked; // it can be closed, and another one asked, meanwhile
    busy.value = asked;
    try {
      await asked?.act();
      if (isStillAsked()) question.value = null;
    } catch (error) {
      if (isStillAsked()) problem.value = sentenceOf(error);
    }
    if (busy.peek() === asked) busy.value = null;
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question-title"
      aria-describedby="question-text"
      onClose={() => {
        question.value = null;
      }}
    >
      <h2 id="question-title">{asked?.title}</h2>
      <p id="question-text">{asked?.text}</p>
      <p role="alert" class={problem.value ? "problem" : ""}>
        {problem.value}
      </p>
      <div class="row">
        <button
          type="button"
          class="danger"
          disabled={asked !== null && busy.value === asked}
          onClick={() => void act()}
        >
          {asked?.yes}
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Back
        </button>
      </div>
    </dialog>
  );
}
