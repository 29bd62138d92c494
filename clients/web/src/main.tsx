import { render } from "preact";

const root = document.getElementById("app");
if (root) render(<h1>Video Jobs</h1>, root);
