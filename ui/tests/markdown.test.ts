import { describe, expect, it } from "vitest";
import { createApp } from "vue";
import { elementsOf } from "@/lib/markdown";

function shown(text: string): HTMLElement {
  const place = document.createElement("div");
  createApp({ render: () => elementsOf(text) }).mount(place);
  return place;
}

describe("markdown", () => {
  it("becomes headings, lists, tables, code and links", () => {
    const place = shown("# Orders\n\nReads *all* of `daily` & more.\n\n- one\n- [two](https://example.com/2)\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```sql\nselect 1 < 2\n```");
    expect(place.querySelector("h3")?.textContent).toBe("Orders");
    expect(place.querySelector("p")?.textContent).toBe("Reads all of daily & more.");
    expect(place.querySelectorAll("li")).toHaveLength(2);
    expect(place.querySelector("a")?.getAttribute("href")).toBe("https://example.com/2");
    expect(place.querySelector("td.end")?.textContent).toBe("2");
    expect(place.querySelector("pre")?.textContent).toBe("select 1 < 2");
  });

  it("shows markup as text, follows no script link and fetches no picture", () => {
    const place = shown("<img src=x onerror=alert(1)> <b>bold</b>\n\n[run](javascript:alert(1)) ![chart](https://example.com/a.png)");
    expect(place.querySelector("img, b, script")).toBeNull();
    expect(place.textContent).toContain("<b>");
    expect([...place.querySelectorAll("a")].map((one) => one.getAttribute("href"))).toEqual(["https://example.com/a.png"]);
  });
});
