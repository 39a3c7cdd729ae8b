// A gateway as people write it at home: mqtt.js receives, two thresholds are checked, ioredis adds
// to a stream. It acknowledges as it receives, before anything is stored. Says "ready", then
// "seen N" whenever another WANTED messages are in Valkey.
//
//     node mqttjs.mjs mqtt://127.0.0.1:1883 redis://127.0.0.1:6379 WANTED
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages stand where they were installed, not beside this file.
const require = createRequire(pathToFileURL(`${process.env.PEERS}/`));
const mqtt = require("mqtt");
const { Redis } = require("ioredis");

const [broker, store, wanted] = process.argv.slice(2);
const each = Number(wanted);
const redis = new Redis(store);
const client = mqtt.connect(broker, { clientId: "peer", clean: true, receiveMaximum: 65535, protocolVersion: 5 });
const above = new Set();
let stored = 0;

function done() {
  stored += 1;
  if (stored % each === 0) process.stdout.write(`seen ${stored}\n`);
}

client.on("connect", () => client.subscribe("sensors/#", { qos: 1 }, () => process.stdout.write("ready\n")));
client.on("message", (topic, payload) => {
  const reading = JSON.parse(payload.toString());
  if (reading.temperature > 8) above.add(topic);
  else if (reading.temperature < 7.5) above.delete(topic);
  redis.xadd("readings", "MAXLEN", "~", "100000", "*", "topic", topic, "payload", payload).then(done);
});
