import { describe, expect, test } from "vitest";
import { movedFlows, parseUdpFlows } from "./stale-flow.ts";

const text = [
  "ipv4     2 udp      17 29 src=10.42.0.5 dst=10.43.0.1 sport=59765 dport=53 src=10.42.0.9 dst=10.42.0.5 sport=5353 dport=59765 mark=0 zone=0 use=2",
  "ipv4     2 udp      17 30 src=10.42.0.6 dst=10.43.0.1 sport=40000 dport=53 zone-orig=7 [UNREPLIED] src=10.42.0.8 dst=10.42.0.6 sport=5353 dport=40000 mark=0 use=2",
  "ipv4     2 tcp      6 99 TIME_WAIT src=10.43.0.5 dst=10.43.0.1 sport=48322 dport=80 src=127.0.0.2 dst=10.43.0.5 sport=8080 dport=48322 [ASSURED] mark=17 zone=0 use=2",
  "ipv6     10 udp      17 30 src=fd00:0000:0000:0000:0000:0000:0000:0001 dst=fd00:0000:0000:0000:0000:0000:0000:0002 sport=1 dport=2 src=fd00:0000:0000:0000:0000:0000:0000:0003 dst=fd00:0000:0000:0000:0000:0000:0000:0001 sport=3 dport=1 mark=0 zone=0 use=2",
  "",
].join("\n");
const frontend = "10.43.0.1 . udp . 53";
const first = "10.42.0.5 . 59765 . 10.43.0.1 . 53";

describe("stale UDP flows", () => {
  const flows = parseUdpFlows(text);

  test("are read from the kernel's list", () => {
    expect(flows).toEqual([
      { family: "ip", key: first, frontend, target: "10.42.0.9 . 5353", zone: 0 },
      { family: "ip", key: "10.42.0.6 . 40000 . 10.43.0.1 . 53", frontend, target: "10.42.0.8 . 5353", zone: 7 },
      {
        family: "ip6",
        key: "fd00::1 . 1 . fd00::2 . 2",
        frontend: "fd00::2 . udp . 2",
        target: "fd00::3 . 3",
        zone: 0,
      },
    ]);
  });

  test("are moved to the next zone; flows to targets that stay are left", () => {
    const targetsOf = (): string[] => ["10.42.0.8 . 5353"];
    expect(movedFlows(flows, new Map(), targetsOf, new Set([frontend]))).toEqual(new Map([[first, "1"]]));
    expect(movedFlows(flows, new Map(), () => ["10.42.0.9 . 5353"], new Set([frontend]))).toEqual(new Map());
  });

  test("of a zone that was left are not looked at again, and moved flows stay moved while they live", () => {
    const moved = new Map([["10.42.0.6 . 40000 . 10.43.0.1 . 53", "7"]]);
    const targetsOf = (): string[] => ["10.42.0.8 . 5353", "10.42.0.9 . 5353"];
    expect(movedFlows(flows, moved, targetsOf, new Set([frontend]))).toEqual(moved);
    expect(movedFlows([], moved, targetsOf, new Set())).toEqual(new Map());
  });

  test("of a Service that is gone are moved, others' flows never", () => {
    expect(movedFlows(flows, new Map(), () => undefined, new Set([frontend])).get(first)).toBe("1");
    expect(movedFlows(flows, new Map(), () => undefined, undefined)).toEqual(new Map());
  });
});
