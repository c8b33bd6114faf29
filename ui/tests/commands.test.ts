import { describe, expect, it } from "vitest";
import { cliCommand, curlCommand } from "@/lib/commands";

const target = { origin: "http://localhost:8080", tenant: "main", namespace: "company.team", flowId: "hello" };

describe("commands", () => {
  it("quote what a shell would read, and hide secrets in variables", () => {
    const inputs = [{ id: "name", type: "STRING" }, { id: "token", type: "SECRET" }, { id: "file", type: "FILE" }];
    const values = { name: "Ada O'Neil; rm -rf /", token: "s3cret", file: new File([""], "in.csv") };
    const curl = curlCommand(target, inputs, values);
    expect(curl).toContain(`-F 'name=Ada O'\\''Neil; rm -rf /'`);
    expect(curl).toContain(`-F "token=$TOKEN"`);
    expect(curl).toContain("-F file=@in.csv");
    expect(curl).toContain("http://localhost:8080/api/v1/main/executions/company.team/hello");
    expect(curl).not.toContain("s3cret");
  });

  it("keep a value that only looks like a variable as it is", () => {
    expect(curlCommand(target, [{ id: "name", type: "STRING" }], { name: "$HOME" })).toContain("-F 'name=$HOME'");
  });

  it("run the flow's file with the same inputs", () => {
    expect(cliCommand(target, [{ id: "name", type: "STRING" }], { name: "Ada" })).toBe("penstock run hello.yaml \\\n  -i name=Ada");
  });
});
