import { render } from "preact";
import { App } from "./app.js";
import "./theme.css";

const place = document.getElementById("page");
if (place) render(<App />, place);
