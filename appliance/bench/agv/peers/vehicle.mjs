// A vehicle that is not ours: the virtual AGV of vda-5050-lib, which speaks VDA 5050 2.0.
//
//     PEERS=build/peers/agv node vehicle.mjs mqtt://127.0.0.1:1883 SERIAL [strict|own-map] [TIMES_FASTER]
//
// `strict` is the library's own adapter: it wants positions in the order and knows pallets on floor
// stations only. `own-map` is the same vehicle with a map of its site and forks for our cartons: it
// drives to named nodes without a position, as the standard allows. Either reads its own tag
// from a load, never our number. Says "ready" when it is subscribed; SIGTERM says goodbye.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages stand where they were installed, not beside this file.
const require = createRequire(pathToFileURL(`${process.env.PEERS}/`));
const { AgvController, VirtualAgvAdapter } = require("vda-5050-lib");

const [broker, serialNumber, kind = "own-map", faster = "20"] = process.argv.slice(2);
const address = new URL(broker);

/** @param {string} node always the same place for a node, in metres */
function placeOf(node) {
  let number = 0;
  for (const letter of node) number = (number * 31 + letter.charCodeAt(0)) % 100_000;
  return { mapId: "local", x: number % 40, y: Math.floor(number / 40) % 25 };
}

class OwnMap extends VirtualAgvAdapter {
  get actionDefinitions() {
    const named = { stationName: isText, loadId: isText };
    return super.actionDefinitions.map((one) =>
      ["pick", "drop"].includes(one.actionType) ? { ...one, actionParameterConstraints: named } : one,
    );
  }

  isRouteTraversable() {
    return [];
  }

  traverseEdge(context) {
    context.endNode.nodePosition ??= placeOf(context.endNode.nodeId);
    super.traverseEdge(context);
  }
}

function isText(value) {
  return typeof value === "string" && value !== "";
}

const vehicle = new AgvController(
  { manufacturer: "others", serialNumber },
  {
    interfaceName: "uagv",
    vdaVersion: "2.0.0",
    transport: {
      brokerUrl: `mqtt://${address.host}`,
      protocolVersion: "3.1.1",
      reconnectPeriod: 200,
      ...(address.username && {
        username: decodeURIComponent(address.username),
        password: decodeURIComponent(address.password),
      }),
    },
  },
  {
    agvAdapterType: kind === "strict" ? VirtualAgvAdapter : OwnMap,
    publishStateInterval: 1000,
    publishVisualizationInterval: 500,
  },
  { tickRate: 20, timeLapse: Number(faster) },
);

process.on("SIGTERM", () => vehicle.stop().finally(() => process.exit(0)));
await vehicle.start();
process.stdout.write("ready\n");
