/** One line an event on stderr: time, level, part, message, then key=value pairs. Never secrets. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry this part's name. */
  child(part: string): Logger;
}

export type LogFields = Readonly<Record<string, unknown>>;
export type LogLevel = "debug" | "info" | "warn" | "error";

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export function createLogger(
  options: { level?: LogLevel; part?: string; write?: (line: string) => void } = {},
): Logger {
  const { level = "info", part = "capstan", write = (line) => void process.stderr.write(`${line}\n`) } = options;
  const emit = (at: LogLevel, message: string, fields: LogFields = {}) => {
    if (levels.indexOf(at) < levels.indexOf(level)) return;
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${print(value)}`);
    write(`${new Date().toISOString()} ${at.toUpperCase().padEnd(5)} ${part}: ${message}${pairs.join("")}`);
  };
  return {
    debug: (message, fields) => emit("debug", message, fields),
    info: (message, fields) => emit("info", message, fields),
    warn: (message, fields) => emit("warn", message, fields),
    error: (message, fields) => emit("error", message, fields),
    child: (name) => createLogger({ level, part: name, write }),
  };
}

export const silentLogger: Logger = createLogger({ write: () => {} });

function print(value: unknown): string {
  if (value instanceof Error)
    return JSON.stringify(value.cause === undefined ? value.message : `${value.message}: ${String(value.cause)}`);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text !== undefined && /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text ?? "undefined");
}
