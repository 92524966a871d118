/** A gRPC connection to a unix socket, driven by a table of message definitions; knows no service of its own. */
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import protobuf from "protobufjs";

/** The largest answer that is accepted: a list of all containers of a crowded node fits many times. */
const answerBytesMax = 32 * 1024 * 1024;

export interface CallLimits {
  /** Without it a call may take as long as it likes. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

export class RuntimeError extends Error {
  /** The gRPC status code: 2 unknown, 4 deadline, 5 not found, 12 unimplemented, 14 unavailable. */
  readonly code: number;
  readonly detail: string;
  constructor(method: string, { code, details }: ServiceError) {
    super(`rpc error: code = ${codeNames[code] ?? String(code)} desc = ${details}`);
    this.name = `RuntimeError(${method})`;
    this.code = code;
    this.detail = details;
  }
}

const codeNames = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

export const isGone = (error: unknown): boolean => error instanceof RuntimeError && error.code === 5;
export const isUnavailable = (error: unknown): boolean => error instanceof RuntimeError && error.code === 14;
export const isDeadline = (error: unknown): boolean => error instanceof RuntimeError && error.code === 4;

const plain = { longs: Number, enums: String, defaults: true, arrays: true, objects: true };

export class GrpcConnection {
  readonly #client: Client;
  readonly #root: protobuf.Root;

  constructor(socket: string, facts: protobuf.INamespace) {
    this.#root = protobuf.Root.fromJSON(structuredClone(facts));
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": answerBytesMax,
      "grpc.max_send_message_length": answerBytesMax,
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 1000,
      "grpc.min_reconnect_backoff_ms": 50,
    });
  }

  async unary<Answer>(service: string, method: string, request: object, limits: CallLimits = {}): Promise<Answer> {
    const { path, input, output } = this.#method(service, method);
    return await new Promise<Answer>((resolve, reject) => {
      const options = limits.timeoutMs === undefined ? {} : { deadline: Date.now() + limits.timeoutMs };
      const call = this.#client.makeUnaryRequest(
        path,
        (value: object) => Buffer.from(input.encode(input.fromObject(value)).finish()),
        (bytes: Buffer) => output.toObject(output.decode(bytes), plain) as Answer,
        request,
        new Metadata(),
        options,
        (error, answer) => {
          limits.signal?.removeEventListener("abort", cancel);
          if (error !== null) reject(new RuntimeError(method, error));
          else resolve(answer as Answer);
        },
      );
      const cancel = (): void => call.cancel();
      limits.signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Ends when the server ends it, fails when the connection does, stops when `signal` fires. */
  async *stream<Answer>(
    service: string,
    method: string,
    request: object,
    { signal, headers = {} }: { signal: AbortSignal; headers?: Readonly<Record<string, string>> },
  ): AsyncGenerator<Answer> {
    const { path, input, output } = this.#method(service, method);
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const call = this.#client.makeServerStreamRequest(
      path,
      (value: object) => Buffer.from(input.encode(input.fromObject(value)).finish()),
      (bytes: Buffer) => output.toObject(output.decode(bytes), plain) as Answer,
      request,
      metadata,
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      for await (const answer of call) yield answer as Answer;
    } catch (error) {
      if (!signal.aborted) throw new RuntimeError(method, error as ServiceError);
    } finally {
      signal.removeEventListener("abort", cancel);
      call.cancel();
    }
  }

  /** A message type, for bytes inside of other messages. */
  type(name: string): protobuf.Type {
    return this.#root.lookupType(name);
  }

  close(): void {
    this.#client.close();
  }

  #method(service: string, method: string): { path: string; input: protobuf.Type; output: protobuf.Type } {
    const dot = service.lastIndexOf(".");
    const scope = this.#root.lookup(service.slice(0, dot)) as protobuf.Namespace;
    const definition = (scope.lookup(service.slice(dot + 1)) as protobuf.Service).methods[method];
    if (definition === undefined) throw new Error(`bug: ${service} has no method ${method}`);
    return {
      path: `/${service}/${method}`,
      input: scope.lookupType(definition.requestType),
      output: scope.lookupType(definition.responseType),
    };
  }
}
