// The host's side, in the browser: the real bridge between a page in a frame and the test.
// tests/apps/host.py puts `callTool` beside it.
import {
  AppBridge,
  PostMessageTransport,
  isToolVisibilityModelOnly,
} from "@modelcontextprotocol/ext-apps/app-bridge";
import { EmptyResultSchema } from "@modelcontextprotocol/core";

// What was posted to the page and by it; what it told the model; what it asked for, refused or not.
window.posted = { toPage: [], byPage: [] };
window.told = [];
window.refused = [];

window.open_page = async ({ address, tools, tool, context, capabilities }) => {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.title = "page";
  document.body.append(frame);
  window.addEventListener("message", ({ data, source }) => {
    if (source === frame.contentWindow) window.posted.byPage.push(data);
  });

  const transport = new PostMessageTransport(frame.contentWindow, frame.contentWindow);
  const send = transport.send.bind(transport);
  transport.send = (message, ...more) => {
    window.posted.toPage.push(message);
    return send(message, ...more);
  };

  const hostContext = { ...context, toolInfo: { tool } };
  const bridge = new AppBridge(null, { name: "host", version: "1" }, capabilities, { hostContext });
  window.bridge = bridge;
  // A host has to enforce for whom a tool is: the page gets none that is the model's alone.
  bridge.oncalltool = async ({ name, arguments: given }) => {
    const known = tools.find((one) => one.name === name);
    if (!capabilities.serverTools || !known || isToolVisibilityModelOnly(known)) {
      window.refused.push(name);
      throw new Error(`The page may not call ${name}.`);
    }
    return window.callTool(name, given ?? {});
  };
  bridge.onupdatemodelcontext = async (params) => {
    window.told.push(params);
    return {};
  };
  bridge.onsizechange = ({ height }) => {
    if (height) frame.style.height = `${height}px`;
  };
  const initialized = new Promise((resolve) => (bridge.oninitialized = resolve));
  await bridge.connect(transport);
  frame.src = address;
  await initialized;
};

// Wait until the page has got the answers to so many calls, and whatever it did with them is done.
window.settle = async (calls) => {
  const { byPage, toPage } = window.posted;
  const isCall = ({ id }) => byPage.some((m) => m.id === id && m.method === "tools/call");
  while (toPage.filter((m) => !m.method && isCall(m)).length < calls) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await window.bridge.request({ method: "ping" }, EmptyResultSchema);
};
