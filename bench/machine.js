// @ts-check
import { spawnSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";

/**
 * The properties of the machine and the sources that the figures depend on, without the machine's name.
 * @typedef {object} Machine
 * @property {string} processor
 * @property {number} cores
 * @property {number} gibibytes
 * @property {string} system
 * @property {string} node
 * @property {string} commit
 * @property {boolean} changed whether the sources differ from the commit
 * @property {string} date
 */

/** @returns {Machine} */
export function machine() {
  const processors = cpus();
  return {
    processor: processorName(processors[0]?.model ?? "unknown"),
    cores: processors.length,
    gibibytes: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    commit: git("rev-parse", "--short=12", "HEAD") || "unknown",
    changed: git("status", "--porcelain", "--", "packages", "kernels", "bench") !== "",
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The load average of the last minute. */
export function load() {
  return loadavg()[0];
}

/**
 * The number of cores that other programs use while this process sleeps.
 * @param {number} milliseconds
 */
export async function busyCores(milliseconds) {
  const before = workedMilliseconds();
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return (workedMilliseconds() - before) / (performance.now() - began);
}

/** The busy time of all cores together. */
function workedMilliseconds() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** The processor's name with single spaces. @param {string} model */
function processorName(model) {
  return model.replace(/\s+/g, " ").trim();
}

/** @param {readonly string[]} words */
function git(...words) {
  const { stdout, status } = spawnSync("git", words, {
    cwd: join(import.meta.dirname, ".."),
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : "";
}
