import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { proxiedLink, rewriteLinks } from "./proxied-links.ts";

const place = { prefix: "/api/v1/namespaces/n/pods/p/proxy", backendHost: "10.42.0.5:80", requestHost: "k8s:6443" };

describe("a link of a backend", () => {
  it.each([
    ["/a", `${place.prefix}/a`],
    ["/a/", `${place.prefix}/a/`],
    ["/", `${place.prefix}/`],
    ["/a/../b//c?q=/x#f", `${place.prefix}/b/c?q=/x#f`],
    ["http://10.42.0.5:80/a", `${place.prefix}/a`],
    ["//10.42.0.5:80/a", `${place.prefix}/a`],
    ["http://k8s:6443/a", `http://k8s:6443${place.prefix}/a`],
    [`${place.prefix}/a`, `${place.prefix}/a`],
    ["a", "a"],
    ["../a", "../a"],
    ["?q", "?q"],
    ["", ""],
    ["mailto:/x", `${place.prefix}/x`],
    ["mailto:x", "mailto:x"],
    ["http://example.com/a", "http://example.com/a"],
    ["//example.com/a", "//example.com/a"],
  ])("%j leads to %j", (link, proxied) => {
    expect(proxiedLink(link, place)).toBe(proxied);
  });
});

describe("links of a page", () => {
  const rewrite = (html: string) => rewriteLinks(html, (link) => `!${link}`);

  it.each([
    [`<a href="/x">test</a>`, `<a href="!/x">test</a>`],
    [`<A class=c HREF=/x>`, `<A class=c HREF="!/x">`],
    [`<img src='/x' alt="/y"/>`, `<img src="!/x" alt="/y"/>`],
    [`<a href="/x?a=1&amp;b='">`, `<a href="!/x?a=1&amp;b=&#39;">`],
    [`<script src="/x"></script><a href = "/y">`, `<script src="!/x"></script><a href = "!/y">`],
    [`<script>"<a href='/x'>"</script><a href="/y">`, `<script>"<a href='/x'>"</script><a href="!/y">`],
    [`<!-- <a href="/x"> --><a href="/y">`, `<!-- <a href="/x"> --><a href="!/y">`],
    [`a < b <a href="/x"`, `a < b <a href="/x"`],
    [`<p href="/x">`, `<p href="/x">`],
    [`<a data-href="/x" hrefx=/y>`, `<a data-href="/x" hrefx=/y>`],
    [`<video poster=/p src="/s">`, `<video poster="!/p" src="!/s">`],
  ])("%s becomes %s", (html, rewritten) => {
    expect(rewrite(html)).toBe(rewritten);
  });

  it.each(["<a ", `<a b='`, `<a href="x`, "<a b=c/", "<title>", "<!--"])(
    "a page of nothing but %s takes time that grows with its length alone",
    (piece) => {
      const html = piece.repeat(100_000);
      const start = performance.now();
      expect(rewrite(html)).toBe(html);
      expect(performance.now() - start).toBeLessThan(2_000);
    },
  );

  it("changes nothing of a page whose links stay", () => {
    const piece = fc.constantFrom("<a ", "<", ">", "href=", "/x", '"', "'", "=", " ", "<!--", "-->", "<script>", "é");
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const html = pieces.join("");
        expect(rewriteLinks(html, (link) => link)).toBe(html);
      }),
    );
  });
});
