// Loaded before Node's tests (`node --import`): lets them import what pages import from /static/.
import * as module from "node:module";
import { resolve } from "./static_paths.js";

if (module.registerHooks) module.registerHooks({ resolve });
else module.register("./static_paths.js", import.meta.url);
