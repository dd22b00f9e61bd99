export const projectName = /^(?!_project$)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
