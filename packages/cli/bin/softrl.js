#!/usr/bin/env node
const { endWithoutFiles, INTERRUPTED, main, reportAllErrors } = await import("@softrl/cli").catch((error) => {
  // Nothing of softrl is there to report it: a file is missing, or there are too few file descriptors to open all.
  const [reason] = String(error?.message ?? error).split("\n");
  process.stderr.write(
    `softrl: the command could not be loaded, got ${reason}; install it again, or raise the limit on open files (ulimit -n)\n`,
  );
  process.exit(1);
});

reportAllErrors();
const exitCode = await main(process.argv.slice(2));
// An error of stdout may have set one.
process.exitCode ||= exitCode;
// A Python that is still starting must not hold up who pressed Ctrl-C.
if (exitCode === INTERRUPTED) process.exit();
endWithoutFiles();
