// The status page: puts the model and the views together, in the browser. What it shows comes from /api/v1 alone.
import { render } from 'preact';
import { useLayoutEffect, useReducer } from 'preact/hooks';
import { Model } from './model/model.ts';
import { Shell } from './shell.tsx';

const model = new Model();

function App() {
  const [, rerender] = useReducer((turn: number) => turn + 1, 0);
  // Within the first rendering, and not after it was painted: a link that is followed in between would be lost.
  useLayoutEffect(() => {
    let asked = false;
    // Several changes within one frame are one rendering.
    model.start(() => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        rerender(0);
      });
    });
  }, []);
  return <Shell model={model} />;
}

const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
