import { Command, CommanderError } from "commander";
import { SoftrlError, version } from "softrl";
import { compareCommand } from "./commands/compare.js";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { recordCommand } from "./commands/record.js";
import { resumeCommand } from "./commands/resume.js";
import { setupGymnasiumCommand } from "./commands/setup.js";
import { theoryCommand } from "./commands/theory.js";
import { trainCommand } from "./commands/train.js";
import { verifyCommand } from "./commands/verify.js";
import { FailedFilm } from "./figures/film.js";
import { addConfigOptions, type OptionValues } from "./options/config-options.js";
import { FailedRun } from "./runs/failed-run.js";
import { exitCodeOf, standardStreams } from "./terminal/streams.js";
import type { Terminal } from "./terminal/terminal.js";

/** Bad input, bad usage, and a fault of ours (sysexits' EX_SOFTWARE). */
const BAD_INPUT = 1;
const BAD_USAGE = 2;
const OUR_FAULT = 70;

const RUN_FOLDER = "where the run is written: a new or empty folder (default: a numbered one below runs/)";
const JSON_LINE = "end with one JSON line on stdout";

/** Runs the command that the arguments name; gives the exit code and throws nothing. */
export async function main(args: readonly string[], terminal: Terminal = standardStreams()): Promise<number> {
  let exitCode = 0;
  const run = async (command: Promise<number>) => {
    exitCode = await command;
  };
  try {
    await program(terminal, run).parseAsync(args, { from: "user" });
    return exitCodeOf(exitCode);
  } catch (error) {
    // Commander has said what is wrong; code 0 is --help and --version.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodeOf(0) : BAD_USAGE;
    return tell(error, terminal);
  }
}

/** Says what went wrong; gives the exit code. */
function tell(thrown: unknown, { err }: Terminal): number {
  const error = thrown instanceof FailedRun || thrown instanceof FailedFilm ? thrown.cause : thrown;
  const message = error instanceof Error ? error.message : String(error);
  const kept = whatIsKept(thrown, message);
  if (error instanceof SoftrlError) {
    err.write(`softrl: ${message}${kept}\n`);
    return BAD_INPUT;
  }
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  err.write(
    `${stack}\nsoftrl: this is a fault of softrl ${version}; please report it with the lines above${kept}\n`,
  );
  return OUR_FAULT;
}

/** The sentence after an error's message: what there is of a run or a film, where the message does not name it. */
function whatIsKept(thrown: unknown, message: string): string {
  if (thrown instanceof FailedFilm) return ` ${thrown.kept}`;
  if (!(thrown instanceof FailedRun) || message.startsWith(thrown.folder)) return "";
  return ` What there is of the run is in ${thrown.folder}.`;
}

function program(terminal: Terminal, run: (command: Promise<number>) => Promise<void>): Command {
  const root = new Command("softrl")
    .description("Policy gradients and soft Q-learning: one algorithm seen from two sides.")
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void terminal.out.write(text),
      writeErr: (text) => void terminal.err.write(text),
      outputError: (text, write) =>
        write(
          `softrl: ${text
            .replace(/^error: /, "")
            .replace(/\n\(/, " (")
            .trimEnd()}; --help lists what there is\n`,
        ),
    });

  const train = root.command("train").description("train one algorithm into a run folder");
  addConfigOptions(train);
  train
    .option("-o, --run-folder <path>", RUN_FOLDER)
    .option("--json", JSON_LINE)
    .action((options: OptionValues) => run(trainCommand(options, terminal)));

  const compare = root
    .command("compare")
    .description("train A2C and soft Q-learning side by side, with one seed and the same settings");
  addConfigOptions(compare, ["algorithm", "entropyBonus"]);
  compare
    .option(
      "--subtract-gap",
      "soft Q-learning descends its loss less the gap of §4, in float64: its parameters must be A2C's, update by update",
    )
    .option("-o, --run-folder <path>", RUN_FOLDER)
    .option("--json", JSON_LINE)
    .action((options: OptionValues) => run(compareCommand(options, terminal)));

  root
    .command("resume")
    .description("go on with a run that was stopped, from its last checkpoint, as if it had never stopped")
    .argument("<run-folder>", "the folder of a training run")
    .option("--json", JSON_LINE)
    .action((folder: string, options: OptionValues) => run(resumeCommand(folder, options, terminal)));

  root
    .command("evaluate")
    .description("play whole episodes with what a run has learned")
    .argument("<run-folder>", "the folder of a training run")
    .option("--episodes <count>", "episodes to play", "100")
    .option(
      "--mode <mode>",
      "actions drawn from the policy (sample), or its most likely one (mode)",
      "sample",
    )
    .option("--seed <integer>", "the seed of the episodes' starts and of the actions drawn", "1")
    .option("--json", JSON_LINE)
    .action((folder: string, options: OptionValues) => run(evaluateCommand(folder, options, terminal)));

  root
    .command("record")
    .description("film whole episodes of what a run has learned")
    .argument("<run-folder>", "the folder of a training run")
    .option(
      "--out <path>",
      "a new file that ends in .gif, or a new or empty folder for PNG frames",
      "recording.gif",
    )
    .option("--overwrite", "replace an earlier film of that name")
    .option("--episodes <count>", "episodes to film, one after the other", "1")
    .option(
      "--mode <mode>",
      "actions drawn from the policy (sample), or its most likely one (mode)",
      "sample",
    )
    .option("--seed <integer>", "the seed of the episodes' starts and of the actions drawn", "1")
    .option("--max-steps <count>", "steps after which the film ends in any case", "1000")
    .option("--scale <factor>", "screen pixels a side for each pixel", "1")
    .option("--fps <rate>", "steps shown a second, 1 to 50", "20")
    .option("--json", JSON_LINE)
    .action((folder: string, options: OptionValues) => run(recordCommand(folder, options, terminal)));

  root
    .command("verify")
    .description("measure the paper's identities on this machine")
    .option("--mutants", "check that the same measurements catch every named mistake")
    .option("--json", JSON_LINE)
    .action((options: OptionValues) => run(verifyCommand(options, terminal)));

  root
    .command("theory")
    .description("measure the paper's theory exactly, on bandits and random processes")
    .option("-o, --out <folder>", "also write each figure, its numbers and a page that explains them")
    .option("--seed <integer>", "the seed of the random problems", "0")
    .option("--json", "all figures' numbers as one JSON line on stdout")
    .action((options: OptionValues) => run(theoryCommand(options, terminal)));

  root
    .command("doctor")
    .description("say what softrl finds on this machine, and what a run takes of it")
    .option("--json", JSON_LINE)
    .action((options: OptionValues) => run(doctorCommand(options, terminal)));

  root
    .command("setup")
    .description("install what softrl can do without, but not everything with")
    .command("gymnasium")
    .description(
      "Gymnasium and the Arcade Learning Environment, in a Python virtual environment of softrl's own",
    )
    .action(() => run(setupGymnasiumCommand(terminal)));

  return root;
}
