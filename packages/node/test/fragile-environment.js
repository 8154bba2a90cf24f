// CartPole that fails in a worker thread, as the environment variable FRAGILE says: `<how>@<step>`. The first thread that
// gets there fails, and the others go on.
import { isMainThread } from "node:worker_threads";
import { environmentKind, makeEnvironment } from "softrl";

const ways = {
  throw() {
    throw new Error("the joystick is broken");
  },
  // Not within the call of anybody who could catch it.
  reject: () => void Promise.reject(new Error("a stray promise")),
  exit: () => process.exit(7),
  hang() {
    for (;;);
  },
  memory() {
    const all = [];
    for (;;) all.push(new Array(1e6).fill(all.length));
  },
};

export default environmentKind({
  id: "Fragile-v0",
  about: "CartPole that fails",
  options: {},
  make(size) {
    const environment = makeEnvironment("CartPole-v1", size);
    Object.defineProperty(environment, "id", { value: "Fragile-v0" });
    const [how, at] = (process.env.FRAGILE ?? "").split("@");
    if (isMainThread || how === "") return environment;
    const { step } = environment;
    let steps = 0;
    environment.step = (actions) => {
      if (++steps === Number(at)) ways[how]();
      return step.call(environment, actions);
    };
    return environment;
  },
});
