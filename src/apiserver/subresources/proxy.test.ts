import { describe, expect, it } from "vitest";
import { checkProxyable, proxyPrefix } from "./proxy.ts";

describe("checkProxyable", () => {
  it.each(["10.42.0.5", "192.168.1.1", "8.8.8.8", "fd00::5", "2001:db8::1", "::ffff:10.42.0.5"])(
    "lets %s through",
    (address) => {
      expect(() => checkProxyable(address)).not.toThrow();
    },
  );

  it.each([
    "",
    "localhost",
    "10.42.0.5.example.com",
    "0.0.0.0",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "224.0.0.1",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::FFFF:169.254.169.254",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:a9fe:a9fe",
    "0177.0.0.1",
    "2130706433",
    "127.1",
  ])("refuses %j", (address) => {
    expect(() => checkProxyable(address)).toThrow("address not allowed");
  });
});

describe("proxyPrefix", () => {
  it.each([
    ["/api/v1/namespaces/n/pods/p/proxy", "/api/v1/namespaces/n/pods/p/proxy"],
    ["/api/v1/namespaces/n/pods/proxy-p:1080/proxy/proxy/x", "/api/v1/namespaces/n/pods/proxy-p:1080/proxy"],
    ["/api/v1/namespaces/pods/pods/proxy/proxy/", "/api/v1/namespaces/pods/pods/proxy/proxy"],
    ["/api/v1/namespaces/n/services/https:s:443/proxy/a", "/api/v1/namespaces/n/services/https:s:443/proxy"],
    ["/api/v1/nodes/n/proxy/logs/", "/api/v1/nodes/n/proxy"],
  ])("of %s is %s", (path, prefix) => {
    expect(proxyPrefix(path)).toBe(prefix);
  });
});
