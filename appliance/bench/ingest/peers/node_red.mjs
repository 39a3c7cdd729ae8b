// Node-RED with the flow that its users draw for this: mqtt in -> a function with two thresholds.
// Nothing is stored, and it acknowledges as it receives. Says "ready", then "seen N".
//
//     node node_red.mjs mqtt://127.0.0.1:1883 FOLDER WANTED
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { writeFileSync } from "node:fs";

// The packages stand where they were installed, not beside this file.
const require = createRequire(pathToFileURL(`${process.env.PEERS}/`));
const red = require("node-red");

const [broker, folder, wanted] = process.argv.slice(2);
const { hostname, port } = new URL(broker);
const check = `
let above = flow.get("above") || {};
if (msg.payload.temperature > 8) above[msg.topic] = true;
else if (msg.payload.temperature < 7.5) delete above[msg.topic];
flow.set("above", above);
const seen = (context.get("seen") || 0) + 1;
context.set("seen", seen);
if (seen % ${Number(wanted)} === 0) global.get("say")("seen " + seen);
return null;
`;
const flow = [
  { id: "f", type: "tab", label: "ingest" },
  {
    id: "b",
    type: "mqtt-broker",
    broker: hostname,
    port,
    clientid: "peer",
    protocolVersion: "5",
    keepalive: "60",
    cleansession: true,
    autoConnect: true,
  },
  { id: "i", z: "f", type: "mqtt in", topic: "sensors/#", qos: "1", datatype: "json", broker: "b", wires: [["c"]] },
  { id: "c", z: "f", type: "function", func: check, outputs: 1, wires: [[]] },
];
writeFileSync(`${folder}/flows.json`, JSON.stringify(flow));
const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
const server = createServer();
red.init(server, {
  userDir: folder,
  flowFile: "flows.json",
  httpAdminRoot: false,
  httpNodeRoot: false,
  logging: { console: { level: "error" } },
  telemetry: { enabled: false, updateNotification: false },
  functionGlobalContext: { say },
});
await red.start();
// Subscribed a moment after the flows have started: told by the node itself.
red.runtime.events.on("node-status", (/** @type {{id: string, status: {text?: string}}} */ told) => {
  if (told.id === "i" && (told.status.text ?? "").includes("connected") && !told.status.text.includes("dis")) say("ready");
});
