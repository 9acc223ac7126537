// What every form asks that gives somebody rights: which, and the password of who gives them.
import type { Role } from '../model/answers.ts';
import { t } from '../strings.ts';
import { Field } from '../ui/form.tsx';

const roles: readonly Role[] = ['viewer', 'operator', 'admin'];

export const RoleChoice = ({ value = 'viewer' }: { readonly value?: Role }) => (
  <label class="field">
    <span>{t.users.role}</span>
    <select name="role" defaultValue={value}>
      {roles.map((role) => (
        <option key={role} value={role} selected={role === value}>
          {t.role[role]}
        </option>
      ))}
    </select>
    <small class="quiet">{t.users.rolesAbout}</small>
  </label>
);

export const OwnPassword = () => (
  <Field
    name="currentPassword"
    label={t.users.ownPassword}
    hint={t.users.ownPasswordHint}
    type="password"
    autocomplete="current-password"
  />
);
