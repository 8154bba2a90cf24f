import { type PlayedFrame, RunControl, SoftrlError } from "softrl";
import { oncePerFrame, part } from "../controls/part.js";
import { slider } from "../controls/slider.js";
import { readTemperature, temperatureText } from "../controls/temperatures.js";
import { decimals, shortNumber } from "../drawing/number-text.js";
import { readNumber, type Settings } from "../state/settings.js";
import { browserWorkers } from "../workers/browser-workers.js";
import { GamesTogether } from "./games-together.js";
import { nextPicture, stepsOfPicture } from "./picture-clock.js";
import { Race, type Racer, type RaceSide, racers, type SavedRace } from "./race.js";
import { games, intervals, Person, RACE_TAUS, speeds } from "./race-controls.js";
import { drawCurves, drawGap, drawScreen, PolicyBars } from "./race-pictures.js";
import { singleLoop } from "./single-loop.js";

const host = browserWorkers(
  () => new Worker(new URL("../workers/race-worker.js", import.meta.url), { type: "module", name: "race" }),
);
const openRun = () => new RunControl(host, { module: "race-worker", entry: "race" });

/** Milliseconds between two changes of the bars and numbers below a screen: nobody reads them faster. */
const FACTS_EVERY = 250;

/** Seconds between two measurements of the theorem, at least: they take time from the training. */
const MEASURE_EVERY = 1;

/**
 * Figure: a policy gradient and soft Q-learning learn the same game from the same seed, live, each in a worker that is
 * opened when the reader starts the race.
 */
export function theRace(root: HTMLElement, settings: Settings): void {
  let game = games.find(({ key }) => key === settings.get("game")) ?? games[0];
  let tau = readTemperature(settings.get("tau"), RACE_TAUS, game.tau);
  let race: Race | null = null;
  let isOpening = false;
  /** Changes whenever the present race is given up: one that is still opening then is closed. */
  let turn = 0;
  let ghost: RaceSide["curve"] = [];
  const seed = Math.floor(readNumber(settings.get("seed"), { low: 0, high: 2 ** 32, fallback: 1 }));
  const motion = matchMedia("(prefers-reduced-motion: reduce)");
  /** Whether a part of the figure is on screen: else nobody sees how the agents play. */
  let isInView = true;
  new IntersectionObserver((entries) => {
    isInView = entries.at(-1)?.isIntersecting ?? isInView;
  }).observe(root);

  const button = (name: string) => part(root, name, HTMLButtonElement);
  const [go, step, save, load] = [button("go"), button("step"), button("save"), button("load")];
  const files = part(root, "files", HTMLInputElement);
  const select = (name: string) => part(root, name, HTMLSelectElement);
  const [gameChoice, every, speed] = [select("game"), select("every"), select("speed")];
  const gap = part(root, "gap", HTMLInputElement);
  const scrub = part(root, "scrub", HTMLInputElement);
  const scrubbed = part(root, "scrubbed", HTMLElement);
  const note = part(root, "note", HTMLElement);
  const difference = part(root, "difference", HTMLElement);
  /** When the two networks were compared last. */
  let comparedAt = -Infinity;
  const [curves, distances] = [part(root, "curves", SVGSVGElement), part(root, "distance", SVGSVGElement)];
  const agents = racers.map((racer) => {
    const of = <Kind extends Element>(name: string, kind: new () => Kind) =>
      part(root, `${racer}-${name}`, kind);
    const screen = of("screen", HTMLCanvasElement);
    const className = racer === "a2c" ? "pg" : "sq";
    return {
      racer,
      screen,
      bars: new PolicyBars(of("policy", SVGSVGElement), className),
      facts: of("facts", HTMLElement),
      person: new Person(
        { screen: of("keys", HTMLElement), pad: of("pad", HTMLElement), around: of("agent", HTMLElement) },
        () => game,
        () => void play(racer),
      ),
      download: of("download", HTMLButtonElement),
      /** Calls of `play`: a later one takes over from those before. */
      plays: 0,
      writtenAt: 0,
    };
  });

  gameChoice.value = game.key;
  gap.checked = settings.get("gap") === "subtracted";
  const choose = (choice: HTMLSelectElement, name: string, values: readonly number[]) => {
    const wanted = settings.get(name) ?? "";
    if (values.some((value) => String(value) === wanted)) choice.value = wanted;
    const fallback = Array.from(choice.options).find(({ defaultSelected }) => defaultSelected)?.value;
    choice.addEventListener("change", () => {
      settings.set(name, choice.value === fallback ? null : choice.value);
    });
  };
  choose(every, "every", intervals);
  choose(speed, "speed", speeds);
  const tauSlider = slider(part(root, "tau", HTMLElement), {
    label: "Temperature τ",
    values: RACE_TAUS,
    text: shortNumber,
    start: tau,
    onInput(chosen) {
      tau = chosen;
      settings.set("tau", temperatureText(tau, game.tau));
      attempt(async () => {
        await race?.setTau(tau);
        draw();
      });
    },
  });

  const draw = oncePerFrame(() => {
    const sides = race?.sides;
    const now = race?.step ?? 0;
    const changes =
      sides?.a2c.events.flatMap((event) => {
        const isChange = event.event === "set" && "tau" in event.settings;
        return isChange ? [event.step] : [];
      }) ?? [];
    drawCurves(curves, {
      a2c: sides?.a2c.curve ?? [],
      softQ: sides?.["soft-q"].curve ?? [],
      ghost,
      step: now,
      goal: game.goal,
      changes,
    });
    drawGap(distances, race?.measured ?? [], now);
    go.textContent = isOpening ? "Loading…" : race === null ? "Start" : race.isGoing ? "Pause" : "Go on";
    go.disabled = isOpening;
    step.disabled = isOpening || race?.isGoing === true;
    for (const one of [save, ...agents.map(({ download }) => download)]) one.disabled = race === null;
    files.disabled = isOpening;
    const count = race?.snapshots.length ?? 0;
    scrub.disabled = race === null || race.isGoing || count < 2;
    scrub.max = String(Math.max(1, count - 1));
    if (document.activeElement !== scrub || race?.isGoing) {
      const at = race?.snapshots.findLastIndex((snapshot) => snapshot.step <= now) ?? 0;
      scrub.value = String(Math.max(0, at));
      scrubbed.textContent = `step ${now.toLocaleString("en")}`;
    }
    for (const { person } of agents) person.showPad(game, race !== null);
    Object.assign(root.dataset, { step: String(now), game: game.key });
  });

  /** Does what a reader asked for; an error is shown, and ends the race that it broke. */
  function attempt(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (error instanceof SoftrlError && error.code === "worker-lost") closeRace().catch(() => {});
      say(error instanceof Error ? error.message : String(error));
      draw();
    });
  }

  async function closeRace(): Promise<void> {
    const closing = race;
    race = null;
    isOpening = false;
    turn++;
    await closing?.close();
  }

  function say(text: string): void {
    if (note.textContent !== text) note.textContent = text;
  }

  /** Opens a race in place of the present one. @returns null where it was given up meanwhile */
  async function open(saved: SavedRace | null = null): Promise<Race | null> {
    await closeRace();
    const mine = turn;
    isOpening = true;
    draw();
    try {
      const choice = { game, seed: saved?.seed ?? seed, tau, isGapSubtracted: gap.checked };
      const made =
        saved === null ? await Race.start(openRun, choice) : await Race.load(openRun, choice, saved);
      if (mine !== turn) {
        await made.close();
        return null;
      }
      race = made;
      tau = made.tau;
      tauSlider.show(tau);
      return made;
    } finally {
      if (mine === turn) isOpening = false;
      draw();
    }
  }

  async function train(steps: number): Promise<void> {
    const present = race ?? (await open());
    if (present === null) return;
    const together = new GamesTogether();
    const training = present.go(
      steps,
      () => Number(speed.value),
      async () => {
        draw();
        if (!isTogether(present)) return;
        await together.play(present, game.pace, stepsOfPicture(game.pace));
        await compare(present);
      },
    );
    draw();
    say("Both agents train; the screens show how they play now.");
    void showTogether(present, together);
    for (const { racer } of agents) void play(racer);
    void measure();
    try {
      await training;
    } catch (error) {
      // A race that was closed has nothing to report.
      if (present === race) throw error;
    }
    if (present !== race) return;
    await present.measure();
    comparedAt = -Infinity;
    await compare(present);
    await look();
    const taken = `${present.step.toLocaleString("en")} steps of each agent`;
    say(present.isOver ? `The race is over, after ${taken}.` : `Paused after ${taken}.`);
    draw();
  }

  /** Whether both agents play the same game: without the gap they are one, until a person takes over. */
  function isTogether(present: Race): boolean {
    return present.choice.isGapSubtracted && !motion.matches && !agents.some(({ person }) => person.isTaken);
  }

  /** Shows how far the two networks are apart, at most once a second. */
  async function compare(present: Race): Promise<void> {
    if (!present.choice.isGapSubtracted || performance.now() - comparedAt < 1000) return;
    const { largestDifference } = await import("./network-difference.js");
    const apart = largestDifference((await present.present()).checkpoints);
    comparedAt = performance.now();
    difference.textContent = `Largest difference of the two networks, in one parameter: ${apart === 0 ? "0" : apart.toPrecision(1)}`;
  }

  /** Draws what both have played, while they play together. */
  async function showTogether(present: Race, together: GamesTogether): Promise<void> {
    while (present === race && present.isGoing) {
      const began = performance.now();
      const frames = isInView ? together.next() : undefined;
      if (frames !== undefined) {
        agents.forEach((agent, i) => {
          picture(agent, frames[i], 1);
        });
      }
      await nextPicture(began, (1000 * stepsOfPicture(game.pace)) / game.pace, isInView);
    }
  }

  /** Draws both screens as they are. */
  async function look(): Promise<void> {
    await Promise.all(agents.map(({ racer }) => show(racer, 0)));
  }

  async function show(racer: Racer, steps: number): Promise<void> {
    const agent = agents[racers.indexOf(racer)];
    if (race === null) return;
    const action = agent.person.action(game);
    picture(agent, await race.sides[racer].control.ask({ kind: "play", steps, action }), steps);
  }

  function picture(agent: (typeof agents)[number], frame: PlayedFrame, steps: number): void {
    drawScreen(agent.screen, frame);
    // By one clock, so that the page is laid out once for both.
    const tick = Math.floor(performance.now() / FACTS_EVERY);
    if (steps > 0 && tick === agent.writtenAt) return;
    agent.writtenAt = tick;
    agent.bars.show(game.actions, frame);
    const last = frame.lastReturn === null ? "" : `, last episode ${decimals(frame.lastReturn, 0)}`;
    const who = agent.person.isTaken ? "You play" : "Return";
    const value = frame.v === null ? "" : ` (V\u00a0=\u00a0${decimals(frame.v, 2)})`;
    agent.facts.textContent = `${who}: ${decimals(frame.return, 0)}${last}${value}`;
  }

  /** Lets an agent play on its screen while the race goes on or a person has the controls. */
  async function play(racer: Racer): Promise<void> {
    const agent = agents[racers.indexOf(racer)];
    const mine = ++agent.plays;
    try {
      while (mine === agent.plays && race !== null && (race.isGoing || agent.person.isTaken)) {
        const began = performance.now();
        const { isTaken } = agent.person;
        const isStill = motion.matches && !isTaken;
        const pace = isTaken ? game.manualPace : isStill ? 1 : game.pace;
        const steps = isTaken ? 1 : stepsOfPicture(pace);
        if (isInView && !isTogether(race)) await show(racer, isStill ? 0 : steps);
        await nextPicture(began, (1000 * steps) / pace, isInView);
      }
    } catch (error) {
      // The race was closed meanwhile, or it says itself what is wrong.
      if (race !== null && !isOpening) say(error instanceof Error ? error.message : String(error));
    }
  }

  const measure = singleLoop(
    () => race?.isGoing === true,
    async () => {
      const began = performance.now();
      // A race that was closed or has failed says so where it is trained.
      await race?.measure().catch(() => {});
      const took = (performance.now() - began) / 1000;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(MEASURE_EVERY, 10 * took)));
    },
  );

  /** Another race from the same seed, which goes on if this one did. */
  function restart(): void {
    attempt(async () => {
      const wasGoing = isOpening || race?.isGoing === true;
      await closeRace();
      draw();
      if (wasGoing) await train(Number(every.value));
      else clear();
    });
  }

  function clear(): void {
    difference.textContent = "";
    for (const { screen, facts, bars } of agents) {
      bars.clear();
      screen.getContext("2d")?.clearRect(0, 0, screen.width, screen.height);
      facts.textContent = "";
    }
    say("Start the race: it loads and trains in this page.");
  }

  go.addEventListener("click", () => {
    attempt(async () => {
      if (race?.isGoing) await race.pause();
      else await train(Number(every.value));
    });
  });
  step.addEventListener("click", () => attempt(() => train(1)));
  gap.addEventListener("change", () => {
    settings.set("gap", gap.checked ? "subtracted" : null);
    ghost = race?.sides["soft-q"].curve.slice() ?? [];
    restart();
  });
  gameChoice.addEventListener("change", () => {
    game = games.find(({ key }) => key === gameChoice.value) ?? games[0];
    settings.set("game", game === games[0] ? null : game.key);
    ghost = [];
    restart();
  });
  button("reset").addEventListener("click", () => {
    [tau, ghost] = [game.tau, []];
    tauSlider.show(tau);
    settings.set("tau", null);
    attempt(async () => {
      await closeRace();
      draw();
      clear();
    });
  });
  scrub.addEventListener("input", () => {
    const snapshot = race?.snapshots[Number(scrub.value)];
    if (snapshot !== undefined) scrubbed.textContent = `step ${snapshot.step.toLocaleString("en")}`;
  });
  scrub.addEventListener("change", () => {
    attempt(async () => {
      const snapshot = race?.snapshots[Number(scrub.value)];
      if (race === null || snapshot === undefined) return;
      await race.goTo(snapshot);
      tau = race.tau;
      tauSlider.show(tau);
      await look();
      say(`Back at step ${race.step.toLocaleString("en")}. Go on from here, also with another τ.`);
      draw();
    });
  });
  save.addEventListener("click", () => {
    attempt(async () => {
      if (race === null) return;
      await race.pause();
      const { storeRace } = await import("../state/race-store.js");
      const saved = await race.save();
      await storeRace(saved);
      say(`Saved in this browser at step ${saved.step.toLocaleString("en")}.`);
      draw();
    });
  });
  load.addEventListener("click", () => {
    attempt(async () => {
      const { storedRace } = await import("../state/race-store.js");
      const saved = await storedRace(game.environment);
      if (saved === null) {
        say(`No race of ${game.name} is saved in this browser.`);
        return;
      }
      await openSaved(saved);
    });
  });
  for (const { racer, download } of agents) {
    download.addEventListener("click", () => {
      attempt(async () => {
        if (race === null) return;
        await race.pause();
        const { downloadFile } = await import("../state/race-files.js");
        const { step, checkpoints } = await race.save();
        downloadFile(`${racer}-${step}.safetensors`, checkpoints[racer]);
        say(`The checkpoint of step ${step.toLocaleString("en")} is downloaded.`);
        draw();
      });
    });
  }
  files.addEventListener("change", () => {
    const chosen = Array.from(files.files ?? []);
    files.value = "";
    attempt(async () => {
      const { raceOfFiles } = await import("../state/race-files.js");
      await openSaved(await raceOfFiles(chosen));
    });
  });

  /** Opens a saved race, and sets the figure to what it was saved with. */
  async function openSaved(saved: SavedRace): Promise<void> {
    const itsGame = games.find(({ environment }) => environment === saved.environment);
    if (itsGame === undefined) throw new Error(`The race has no game ${saved.environment}.`);
    game = itsGame;
    gameChoice.value = game.key;
    settings.set("game", game === games[0] ? null : game.key);
    gap.checked = saved.isGapSubtracted;
    settings.set("gap", gap.checked ? "subtracted" : null);
    ghost = [];
    const loaded = await open(saved);
    if (loaded === null) return;
    await look();
    say(`Loaded: step ${loaded.step.toLocaleString("en")}.`);
  }
  draw();
}
