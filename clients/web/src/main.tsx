import { render } from "preact";
import "./base.css";
import { Api } from "./api/client";
import { ApiContext } from "./api/context";
import { sentenceOf } from "./api/errors";
import { App } from "./app";
import { ConfigError, loadConfig } from "./config";
import { LoginContext } from "./login/login";
import { followAddress } from "./routes";
import { UploadsContext } from "./upload/context";
import { Uploads } from "./upload/uploads";

const root = document.getElementById("app");
if (root) start(root).catch((error: unknown) => render(<p class="problem">{whyNotStarted(error)}</p>, root));

function whyNotStarted(error: unknown): string {
  const reason = sentenceOf(error);
  return error instanceof ConfigError ? reason : `This page could not be opened; reload it. (${reason})`;
}

async function start(root: HTMLElement): Promise<void> {
  const config = await loadConfig();
  const login = config.login && (await (await import("./login/session")).openSession(config.login));
  followAddress();
  const api = new Api(config.api, login?.tokens);
  render(
    <LoginContext.Provider value={login}>
      <ApiContext.Provider value={api}>
        <UploadsContext.Provider value={new Uploads(api)}>
          <App />
        </UploadsContext.Provider>
      </ApiContext.Provider>
    </LoginContext.Provider>,
    root,
  );
}
