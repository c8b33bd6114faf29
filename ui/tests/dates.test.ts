import { describe, expect, it } from "vitest";
import { formatDate, formatDay, isTimeZone, timeZones, zoneWithOffset, type DateFormat } from "@/lib/dates";

const MOMENT = Date.parse("2024-09-30T10:44:34Z");
const berlin = (format: DateFormat) => formatDate(MOMENT, { format, locale: "en-US", timeZone: "Europe/Berlin" }).replaceAll("\u202f", " ");

// UI-023
describe("dates", () => {
  it.each<[DateFormat, string]>([
    ["iso", "2024-09-30T12:44:34+02:00"],
    ["plain", "2024-09-30 12:44:34"],
    ["slashes", "30/09/2024 12:44:34"],
    ["medium", "Sep 30, 2024, 12:44 PM"],
    ["weekday", "Mon, Sep 30, 2024, 12:44 PM"],
    ["long", "September 30, 2024 at 12:44 PM"],
    ["full", "Monday, September 30, 2024 at 12:44 PM"],
  ])("are written as the reader wants them: %s", (format, text) => expect(berlin(format)).toBe(text));

  it("name the zone they are in when the language decides", () => expect(berlin("automatic")).toContain("GMT+2"));
  it("have no letters for the zone all others are measured by", () => {
    expect(formatDate(MOMENT, { format: "iso", locale: "en", timeZone: "UTC" })).toBe("2024-09-30T10:44:34+00:00");
  });
  it("write midnight as the first hour, not the last", () => {
    expect(formatDate(Date.parse("2024-01-01T00:05:00Z"), { format: "plain", locale: "en", timeZone: "UTC" })).toBe("2024-01-01 00:05:00");
  });
  it("lie on the day of the reader's zone", () => expect(formatDay(Date.parse("2024-09-30T23:00:00Z"), { locale: "en", timeZone: "Asia/Tokyo" })).toBe("Oct 01"));
});

describe("time zones", () => {
  it("are shown with their distance from UTC at the moment", () => {
    expect(zoneWithOffset("Europe/Berlin", MOMENT)).toBe("Europe/Berlin (UTC+02:00)");
    expect(zoneWithOffset("Asia/Kathmandu", MOMENT)).toBe("Asia/Kathmandu (UTC+05:45)");
  });
  it("are all offered, UTC first", () => expect(timeZones()).toEqual(expect.arrayContaining(["UTC", "America/New_York"])));
  it.each([["Europe/Berlin", true], ["Middle/Earth", false]])("are told from other words: %s", (zone, is) => expect(isTimeZone(zone)).toBe(is));
});
