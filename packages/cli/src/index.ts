export { INTERRUPTED } from "./interrupt.js";
export { main } from "./main.js";
