import { CopyButton } from "./copy_button";
import type { Command } from "./curl";
import "./take_away.css";

/** The commands that fetch what a page shows. */
export function WithCurl({ commands }: { commands: Command[] }) {
  return (
    <details>
      <summary>With curl</summary>
      {commands.map(({ name, command }) => (
        <div key={name} class="command">
          <h3>{name}</h3>
          <div class="row">
            <code>{command}</code>
            <CopyButton text={command} label={`Copy the command: ${name.toLowerCase()}`} />
          </div>
        </div>
      ))}
    </details>
  );
}
