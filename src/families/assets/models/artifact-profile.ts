/** What the files of a model need of the program that loads them, judged by their names. */

export const artifactCategories = ['DataOnly', 'RuntimeDependent', 'Unknown'] as const;
export const artifactSignals = [
  'PickleDeserialization',
  'CustomPythonCode',
  'DynamicOps',
  'NativeBinary',
  'UnknownFormat',
] as const;
type Signal = (typeof artifactSignals)[number];

export interface ArtifactProfile {
  category: (typeof artifactCategories)[number];
  signals: Signal[];
}

const signs: [RegExp, Signal][] = [
  [
    /\.(pt|pth|ckpt|pkl|pickle|joblib)$|(^|\/)(pytorch_model|adapter_model)[^/]*\.bin$/i,
    'PickleDeserialization',
  ],
  [/\.(py|pyc|ipynb)$/i, 'CustomPythonCode'],
  [/\.(pb|h5|keras)$/i, 'DynamicOps'],
  [/\.(so|dll|dylib|exe|engine|plan)(\.\d+)*$/i, 'NativeBinary'],
];
const dataOnly =
  /\.(safetensors|gguf|onnx|onnx_data|npy|json|jsonl|txt|md|yaml|yml|toml|csv|tsv|model|tiktoken|jinja|vocab|png|jpg|jpeg|svg)$|(^|\/)(LICENSE|NOTICE|README|\.gitattributes|merges|vocab)[^/]*$/i;

export function artifactProfile(files: string[]): ArtifactProfile {
  const found = new Set<Signal>();
  for (const file of files) {
    const sign = signs.find(([pattern]) => pattern.test(file));
    if (sign !== undefined) found.add(sign[1]);
    else if (!dataOnly.test(file)) found.add('UnknownFormat');
  }
  const signals = artifactSignals.filter((signal) => found.has(signal));
  const needsRuntime = signals.some((signal) => signal !== 'UnknownFormat');
  return {
    category: needsRuntime ? 'RuntimeDependent' : signals.length > 0 ? 'Unknown' : 'DataOnly',
    signals,
  };
}

export function artifactWarnings({
  category,
  signals,
}: ArtifactProfile): { code: string; message: string }[] {
  if (category === 'DataOnly') return [];
  const why = `signals: ${signals.join(', ')}`;
  return category === 'RuntimeDependent'
    ? [{ code: 'RuntimeDependentArtifact', message: `Loading the model runs code of its files (${why}).` }]
    : [
        {
          code: 'UnclassifiedArtifact',
          message: `Some files are of a format that is not known here (${why}).`,
        },
      ];
}
