// Fetches the description of a running server's API, from which the client's types are made.
import { writeFile } from "node:fs/promises";

const server = process.env.PENSTOCK_SERVER ?? "http://localhost:8080";
const credentials = Buffer.from(`${process.env.PENSTOCK_USER ?? ""}:${process.env.PENSTOCK_PASSWORD ?? ""}`).toString("base64");

const answer = await fetch(`${server}/openapi.json`, { headers: { Authorization: `Basic ${credentials}` } });
if (!answer.ok) {
  console.error(`${server} answered ${answer.status}. Name a server in PENSTOCK_SERVER, and a login in PENSTOCK_USER and PENSTOCK_PASSWORD.`);
  process.exit(1);
}
await writeFile("openapi.json", `${JSON.stringify(await answer.json(), undefined, 1)}\n`);
