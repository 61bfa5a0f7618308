// Which code is loaded ahead, without a browser. Run by test_client.py.
import { expect, test } from "bun:test";
import { modulesBehind } from "../../rxchat/ui/client/route-preload.js";

const manifest = {
  routes: {
    root: { path: "", module: "/root.js", imports: ["/react.js"] },
    chat: { path: "c/:conversation_id", module: "/chat.js", imports: ["/react.js"] },
    documents: { path: "documents", module: "/documents.js", imports: ["/react.js", "/table.js"] },
    document: { path: "documents/view/:document_id", module: "/viewer.js", imports: ["/react.js"] },
    users: { path: "admin/users", module: "/users.js", imports: [] },
  },
};

test("the code of the pages that links lead to is loaded once, and no other", () => {
  expect(modulesBehind(["/documents", "/documents/1", "/"], manifest)).toEqual(["/documents.js", "/react.js", "/table.js", "/viewer.js"]);
  expect(modulesBehind(["/"], manifest)).toEqual([]);
  expect(modulesBehind([], { routes: {} })).toEqual([]);
});
