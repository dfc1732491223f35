// What every peer is: an application on loopback, served over HTTP.
//
// PEER in the environment holds its settings as JSON: domain, client_id, client_secret,
// and whatever else a test wants to say. The first line on standard output is its origin.
import tls from "node:tls";
import express from "express";

export const settings = JSON.parse(process.env.PEER);
export const issuer = `https://${settings.domain}/`;

// Names that lead to a port on loopback: public_domains of the tenant.
const connect = tls.connect;
tls.connect = (options, ...more) => {
  if (!settings.public_domains?.includes(options.host)) return connect(options, ...more);
  const servername = options.servername ?? options.host;
  return connect({ ...options, servername, host: "127.0.0.1", port: settings.port }, ...more);
};

export async function serve(build) {
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.use(express.json());
  const server = app.listen(0, "127.0.0.1", async () => {
    const origin = `http://127.0.0.1:${server.address().port}`;
    await build(app, origin);
    app.use((error, request, response, next) => {
      const { message, code, error: word, cause } = error;
      response.status(500).json({ message, code, error: word ?? cause?.error });
    });
    console.log(origin);
  });
}

// What a login route hands on to /authorize.
export function passedOn(query) {
  const names = ["session_transfer_token", "organization"];
  return Object.fromEntries(names.filter((name) => name in query).map((name) => [name, query[name]]));
}
