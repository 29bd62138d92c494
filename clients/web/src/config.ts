/** What a deployment says in `config.json`, which lies beside the page. */
export interface Config {
  /** Address of the API; empty if the page has the same one. */
  api: string;
  /** Who gives tokens; null if the service asks for none. */
  login: Login | null;
}

export interface Login {
  authority: string;
  client_id: string;
  scope: string;
  /** Where Cognito ends a login: it does not say so in its metadata. */
  logout_url?: string;
}

export class ConfigError extends Error {}

export async function loadConfig(): Promise<Config> {
  const answer = await fetch("config.json", { cache: "no-cache" }).catch(() => null);
  if (!answer?.ok) throw new ConfigError("config.json is not beside this page, or cannot be reached.");
  return parseConfig(await answer.json().catch(() => null));
}

export function parseConfig(found: unknown): Config {
  const { api, login } = (found ?? {}) as Partial<Record<keyof Config, unknown>>;
  if (typeof api !== "string") {
    throw new ConfigError('config.json lacks "api": "" or the address of the API.');
  }
  return { api: api.replace(/\/+$/, ""), login: login == null ? null : parseLogin(login) };
}

function parseLogin(found: unknown): Login {
  const login = found as Partial<Record<keyof Login, unknown>>;
  const { authority, client_id, scope, logout_url } = login;
  if (typeof authority !== "string" || typeof client_id !== "string") {
    throw new ConfigError('"login" of config.json needs "authority" and "client_id", or is null.');
  }
  return {
    authority,
    client_id,
    scope: typeof scope === "string" ? scope : "openid",
    ...(typeof logout_url === "string" ? { logout_url } : {}),
  };
}
