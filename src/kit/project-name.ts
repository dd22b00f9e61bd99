export const projectName = /^(?!_project$)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export const projectNameRule = 'a name of letters, digits, `_`, `.` and `-`, at most 64, not `_project`';
