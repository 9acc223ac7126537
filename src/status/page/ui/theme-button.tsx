// Light, dark, or as the device has it; kept in this browser.
import { useState } from 'preact/hooks';
import { t } from '../strings.ts';
import { Icon } from './mark.tsx';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const KEY = 'autoweave.theme';

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return themes.find((theme) => theme === value) ?? 'auto';
  } catch {
    // A browser that lets sites keep nothing throws at the very name.
    return 'auto';
  }
}

const show = (theme: Theme) => {
  document.documentElement.dataset.theme = theme;
};
show(kept());

export function ThemeButton() {
  const [theme, setTheme] = useState(kept);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
  const choose = () => {
    show(next);
    setTheme(next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // It holds until the page is left.
    }
  };
  return (
    <button type="button" class="quiet-button theme" onClick={choose} title={t.theme.change(t.theme[next])}>
      <Icon name="theme" />
      <span>
        <span class="unseen">{t.theme.appearance}</span> {t.theme[theme]}
      </span>
    </button>
  );
}
