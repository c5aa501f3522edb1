import { once } from "node:events";
import { createServer, Socket } from "node:net";

/** A way to a server on this machine that can be cut. */
export interface CuttableProxy {
  readonly port: number;
  /** How many times a client has spoken since the server spoke last, over all connections: round trips. */
  readonly roundTrips: number;
  /** Breaks all connections. @returns on how many of them a request had no answer yet. */
  cut: () => number;
  stop: () => void;
}

/** Starts a proxy to a port of this machine. */
export async function startProxy(to: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  const unanswered = new Set<Socket>();
  let roundTrips = 0;
  const listener = createServer((client) => {
    const upstream = new Socket().connect(to, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        unanswered.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", () => {
      if (!unanswered.has(client)) roundTrips++;
      unanswered.add(client);
    });
    upstream.on("data", () => unanswered.delete(client));
    client.pipe(upstream).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const cut = () => {
    const { size } = unanswered;
    for (const socket of sockets) socket.destroy();
    return size;
  };
  return {
    port,
    get roundTrips() {
      return roundTrips;
    },
    cut,
    stop: () => {
      cut();
      listener.close();
    },
  };
}
