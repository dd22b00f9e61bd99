import { deflateSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';

/** An archive of parts, given as text or bytes. */
export function archiveOf(parts: Record<string, string | Uint8Array>): Uint8Array {
  const files = Object.entries(parts).map(
    ([name, part]) => [name, typeof part === 'string' ? strToU8(part) : part] as const,
  );
  return zipSync(Object.fromEntries(files));
}

const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const relationships = (targets: [id: string, type: string, target: string][]): string =>
  `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${targets
    .map(([id, type, target]) => `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;

export const docxParagraph = (text: string, properties = ''): string =>
  `<w:p>${properties === '' ? '' : `<w:pPr>${properties}</w:pPr>`}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;

export const docxDocument = (body: string): string =>
  `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`;

export const docxOf = (body: string, more: Record<string, string> = {}): Uint8Array =>
  archiveOf({ '[Content_Types].xml': '<Types/>', 'word/document.xml': docxDocument(body), ...more });

/** Slides as their shapes, in the order they are shown; the parts are numbered the other way round. */
export function pptxOf(slides: { shapes: string; notes?: string }[]): Uint8Array {
  const number = (i: number): number => slides.length - i;
  const parts: Record<string, string> = {
    'ppt/presentation.xml': `<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>${slides
      .map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${number(i)}"/>`)
      .join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relationships(
      slides.map((_, i) => [`rId${number(i)}`, 'slide', `slides/slide${number(i)}.xml`]),
    ),
  };
  slides.forEach(({ shapes, notes }, i) => {
    parts[`ppt/slides/slide${number(i)}.xml`] =
      `<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`;
    if (notes === undefined) return;
    parts[`ppt/slides/_rels/slide${number(i)}.xml.rels`] = relationships([
      ['rId1', 'notesSlide', `../notesSlides/notesSlide${number(i)}.xml`],
    ]);
    parts[`ppt/notesSlides/notesSlide${number(i)}.xml`] =
      `<p:notes xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>${notes}</p:spTree></p:cSld></p:notes>`;
  });
  return archiveOf(parts);
}

export const pptxShape = (text: string, placeholder = 'body'): string =>
  `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${placeholder}"/></p:nvPr></p:nvSpPr><p:txBody>${text
    .split('\n')
    .map((line) => `<a:p><a:r><a:t>${line}</a:t></a:r></a:p>`)
    .join('')}</p:txBody></p:sp>`;

/** Sheets as the rows of their `sheetData`. */
export function xlsxOf(
  sheets: Record<string, string>,
  {
    strings = '',
    styles = '',
    properties = '',
  }: { strings?: string; styles?: string; properties?: string } = {},
): Uint8Array {
  const names = Object.keys(sheets);
  const parts: Record<string, string> = {
    'xl/workbook.xml': `<workbook xmlns:r="r">${properties}<sheets>${names
      .map((name, i) => `<sheet name="${name}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`)
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships([
      ...names.map((_, i): [string, string, string] => [
        `rId${i + 1}`,
        'worksheet',
        `worksheets/sheet${i + 1}.xml`,
      ]),
      ['rId90', 'sharedStrings', 'sharedStrings.xml'],
      ['rId91', 'styles', '/xl/styles.xml'],
    ]),
    'xl/sharedStrings.xml': `<sst>${strings}</sst>`,
    'xl/styles.xml': `<styleSheet>${styles}</styleSheet>`,
  };
  names.forEach((name, i) => {
    parts[`xl/worksheets/sheet${i + 1}.xml`] =
      `<worksheet><sheetData>${sheets[name]}</sheetData></worksheet>`;
  });
  return archiveOf(parts);
}

type PdfObject = string | { dictionary: string; stream: Uint8Array };

/** A PDF of numbered objects, the first being the catalogue. */
export function pdfOfObjects(objects: PdfObject[], trailer = ''): Uint8Array {
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const offsets: number[] = [];
  let length = parts[0]?.length ?? 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
  };
  objects.forEach((object, i) => {
    offsets.push(length);
    add(Buffer.from(`${i + 1} 0 obj\n`));
    if (typeof object === 'string') add(Buffer.from(object, 'latin1'));
    else {
      add(Buffer.from(`<< ${object.dictionary} /Length ${object.stream.length} >>\nstream\n`));
      add(Buffer.from(object.stream));
      add(Buffer.from('\nendstream'));
    }
    add(Buffer.from('\nendobj\n'));
  });
  const start = length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  add(Buffer.from(`xref\n0 ${size}\n0000000000 65535 f \n${rows}`));
  add(
    Buffer.from(
      `trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`,
      'latin1',
    ),
  );
  return Buffer.concat(parts);
}

/** A PDF with a page for each content; contents are operators, deflated as often as told. */
export function pdfOfPages(
  contents: (string | Uint8Array)[],
  { deflated = 1, trailer = '' } = {},
): Uint8Array {
  const page = (i: number): number => 4 + 2 * i;
  const filters = ` /Filter [${'/FlateDecode '.repeat(deflated)}]`;
  return pdfOfObjects(
    [
      '<< /Type /Catalog /Pages 2 0 R >>',
      `<< /Type /Pages /Count ${contents.length} /Kids [${contents.map((_, i) => `${page(i)} 0 R`).join(' ')}] >>`,
      '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
      ...contents.flatMap((content, i): PdfObject[] => {
        let stream: Uint8Array = Buffer.from(content);
        for (let round = 0; round < deflated; round++) stream = deflateSync(stream);
        return [
          `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> /Contents ${page(i) + 1} 0 R >>`,
          { dictionary: filters, stream },
        ];
      }),
    ],
    trailer,
  );
}

/** A PDF whose first line is in a font with a predefined character map, and whose second is not. */
export const characterMapPdf = (encoding: string, ordering: string, hex: string): Uint8Array =>
  pdfOfObjects([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 4 0 R /F2 7 0 R >> >> /Contents 8 0 R >>',
    `<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /${encoding} /DescendantFonts [5 0 R] >>`,
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Song /CIDSystemInfo << /Registry (Adobe) /Ordering (${ordering}) /Supplement 2 >> /FontDescriptor 6 0 R /DW 1000 >>`,
    '<< /Type /FontDescriptor /FontName /Song /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    {
      dictionary: '',
      stream: Buffer.from(`BT /F1 12 Tf 72 720 Td <${hex}> Tj ET BT /F2 12 Tf 72 600 Td (Plain words) Tj ET`),
    },
  ]);

/** Operators that show lines of text. */
export const pdfLines = (...lines: string[]): string =>
  `BT /F1 12 Tf 72 720 Td ${lines.map((line) => `(${line}) Tj 0 -16 Td`).join(' ')} ET`;

/** Opens with a password only. */
export const encryptedPdf = (): Uint8Array =>
  pdfOfPages([pdfLines('secret')], {
    trailer: `/ID [<${'01'.repeat(16)}> <${'01'.repeat(16)}>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${'5a'.repeat(32)}> /U <${'a5'.repeat(32)}> >>`,
  });

/** Takes quadratic time to read, minutes: each end tag is looked for in all that is open. */
export const endlessPage = (): string => `<i>${'<b>'.repeat(2_000_000)}${'</u>'.repeat(2_000_000)}`;
