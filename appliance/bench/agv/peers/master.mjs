// The master control of vda-5050-lib (1.4, VDA 5050 2.0) on the states of our bench: it checks each
// against its schema, as it does unless told otherwise, and hands it on; it has no orders to follow.
//
//     PEERS=build/peers/agv node master.mjs mqtt://127.0.0.1:1883 < COMMANDS
//
// One line of JSON on standard input says what is wanted ({"reset": true}, {"report": true}), one
// answers each; the first line says that it listens.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

// The packages stand where they were installed, not beside this file.
const require = createRequire(pathToFileURL(`${process.env.PEERS}/`));
const { MasterController, Topic } = require("vda-5050-lib");

const address = new URL(process.argv[2]);
let lags = [];

const master = new MasterController(
  {
    interfaceName: "uagv",
    vdaVersion: "2.0.0",
    transport: {
      brokerUrl: `mqtt://${address.host}`,
      protocolVersion: "3.1.1",
      ...(address.username && {
        username: decodeURIComponent(address.username),
        password: decodeURIComponent(address.password),
      }),
    },
  },
  { targetAgvs: {} },
);

function report() {
  const ordered = lags.toSorted((a, b) => a - b);
  const p95 = ordered[Math.ceil(ordered.length * 0.95) - 1] ?? 0;
  return { states: lags.length, lag_p95_ms: p95 };
}

await master.start();
await master.subscribe(Topic.State, {}, (state) => lags.push(Date.now() - Date.parse(state.timestamp)));
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  if (JSON.parse(line).reset) lags = [];
  process.stdout.write(`${JSON.stringify(report())}\n`);
}
await master.stop();
process.exit(0);
