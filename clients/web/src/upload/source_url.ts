/** Empty if the service may take it: https, no port but 443, no user name. */
export function whyNotUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return "Write the whole address, beginning with https://.";
  }
  if (url.protocol !== "https:") return "The address must begin with https://.";
  if (url.port) return "The service fetches from port 443 only; take the port out of the address.";
  return url.username || url.password ? "The address must not contain a user name." : "";
}
