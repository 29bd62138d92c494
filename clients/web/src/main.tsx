import { render } from "preact";
import "./base.css";
import { Api } from "./api/client";
import { ApiContext } from "./api/context";
import { App } from "./app";
import { loadConfig } from "./config";
import { followAddress } from "./routes";

const root = document.getElementById("app");
if (root) start(root).catch((error: unknown) => render(<p class="problem">{String(error)}</p>, root));

async function start(root: HTMLElement): Promise<void> {
  const config = await loadConfig();
  followAddress();
  render(
    <ApiContext.Provider value={new Api(config.api)}>
      <App />
    </ApiContext.Provider>,
    root,
  );
}
