import Type, { type Static } from 'typebox';

/** `Microsoft.CognitiveServices/accounts/AIServices/agents/*` */
const Actions = Type.Optional(
  Type.Array(
    Type.String({
      pattern: '^(?!(?:[^*]*\\*){5})[A-Za-z0-9.*]+(?:/[A-Za-z0-9._*-]+)*$',
      maxLength: 256,
      rule: 'be an action such as Microsoft.CognitiveServices/accounts/AIServices/agents/read, with at most four `*`',
      description: 'What it allows; `*` stands for any text.',
    }),
    { maxItems: 100, default: [] },
  ),
);

/** Roles beside Azure's own, as Azure's custom roles. */
export const CustomRoles = Type.Array(
  Type.Object(
    {
      name: Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,127}$',
        rule: 'be a name of letters, digits, spaces and `._()-`, at most 128',
        description: 'Name of the role.',
      }),
      actions: Actions,
      dataActions: Actions,
      notDataActions: Actions,
    },
    { additionalProperties: false },
  ),
  { maxItems: 100, default: [] },
);

/** A role as it is granted; the lists that were left out are empty. */
export type RoleConfig = Required<Static<typeof CustomRoles>[number]>;

export const rolesConfig = (given: Static<typeof CustomRoles>): RoleConfig[] =>
  given.map(({ name, actions = [], dataActions = [], notDataActions = [] }) => ({
    name,
    actions,
    dataActions,
    notDataActions,
  }));
