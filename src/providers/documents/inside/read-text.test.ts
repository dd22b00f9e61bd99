import { expect, test } from 'vitest';
import {
  archiveOf,
  characterMapPdf,
  docxOf,
  docxParagraph,
  encryptedPdf,
  pdfLines,
  pdfOfPages,
  pptxOf,
  pptxShape,
  xlsxOf,
} from '../testing/sample-documents.ts';
import { readText } from './read-text.ts';

const mostCharacters = 1_000_000;
const read = (content: string | Uint8Array, filename: string, most = mostCharacters): Promise<string> =>
  readText(typeof content === 'string' ? Buffer.from(content) : content, filename, most);
const refusal = async (content: string | Uint8Array, filename: string, most?: number): Promise<string> => {
  const outcome: unknown = await read(content, filename, most).catch((error: unknown) => error);
  const { code, message } = outcome as { code?: string; message?: string };
  return `${code}: ${message}`;
};

test.each('txt md csv json jsonl c cpp cs css go java js ts php py rb sh tex yaml xml log'.split(' '))(
  'a text file named .%s is read as it is, with lines ended by line feeds',
  async (ending) => {
    expect(await read('<a> & {"b": 1}\r\nzweite Zeile: ä\rdone\n', `file.${ending}`)).toBe(
      '<a> & {"b": 1}\nzweite Zeile: ä\ndone\n',
    );
  },
);

test('encodings are told by their marks; what is no UTF-8 is read as Western text', async () => {
  const utf16 = Buffer.from('\ufeffnaïve 你好', 'utf16le');
  expect(await read(utf16, 'a.txt')).toBe('naïve 你好');
  expect(await read(Buffer.from(utf16).swap16(), 'a.txt')).toBe('naïve 你好');
  expect(await read('\ufeffnaïve', 'a.txt')).toBe('naïve');
  expect(await read(Buffer.from('na\xefve \x80', 'latin1'), 'a.txt')).toBe('naïve €');
});

test('bytes that are no text are of no kind that is read, whatever they are named', async () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  expect(await refusal(png, 'picture.txt')).toMatch(/^unsupported_file: .*\.txt/);
  expect(await refusal(Buffer.from('{\\rtf1 text}'), 'a.rtf')).toMatch(/^unsupported_file/);
  expect(await refusal(archiveOf({ 'a.txt': 'x' }), 'a.zip')).toMatch(/^unsupported_file/);
  const compound = Buffer.from('d0cf11e0a1b11ae1', 'hex');
  expect(await refusal(compound, 'a.doc')).toMatch(/^unsupported_file: .*docx/);
  expect(await refusal(Buffer.concat([compound, Buffer.from('EncryptedPackage', 'utf16le')]), 'a.docx')).toBe(
    'invalid_file: The file is encrypted.',
  );
});

test('what a file is counts more than how it is named', async () => {
  expect(await read(docxOf(docxParagraph('From Word')), 'notes.txt')).toBe('From Word');
  expect(await read(pdfOfPages([pdfLines('From a PDF')]), 'notes.md')).toBe('From a PDF');
  expect(await read('<!DOCTYPE html><p>Page', 'page')).toBe('Page');
  expect(await refusal('just text', 'a.pdf')).toMatch(/^invalid_file: .*\.pdf/);
  expect(await refusal('just text', 'a.xlsx')).toMatch(/^invalid_file: .*\.xlsx/);
});

test('files without text are invalid', async () => {
  expect(await refusal('', 'a.txt')).toBe('invalid_file: The file is empty.');
  expect(await refusal(' \n ', 'a.txt')).toBe('invalid_file: The file has no text.');
  expect(await refusal('<script>x</script>', 'a.html')).toBe('invalid_file: The file has no text.');
  expect(await refusal(docxOf(''), 'a.docx')).toBe('invalid_file: The file has no text.');
});

test('a page becomes readable text', async () => {
  const page = `<html><head><title>The title</title><style>p{}</style><script>var x = "<p>no</p>";</script></head>
    <body><h1>One  <em>big</em>
    heading</h1><p>A paragraph,<br>two lines &amp; an entity&nbsp;&eacute;.</p><div>Block</div><div>Next</div>
    <ul><li>first<li><p>second</p><ol><li>inner</li><li>other</li></ol></li></ul><h2></h2><p>After.</p>
    <table><tr><th>Name</th><th>Age</th></tr><tr><td><p>Ann</p></td><td>7</td></tr><tr><td></td><td>8</td></tr></table>
    <pre>  kept
    as is</pre><img alt="A cat"><noscript>no</noscript></body></html>`;
  expect(await read(page, 'a.html')).toBe(
    [
      'The title',
      '',
      '# One big heading',
      '',
      'A paragraph,\ntwo lines & an entity é.',
      '',
      'Block\nNext',
      '',
      '- first',
      '- second',
      '  1. inner',
      '  2. other',
      '',
      'After.',
      '',
      'Name | Age',
      'Ann | 7',
      ' | 8',
      '',
      '  kept\n    as is',
      '',
      'A cat',
    ].join('\n'),
  );
});

test('a page that declares its encoding is read in it', async () => {
  const page = Buffer.concat([
    Buffer.from('<html><meta charset="koi8-r"><p>'),
    Buffer.from([0xd0, 0xd2, 0xc9]),
  ]);
  expect(await read(page, 'a.html')).toBe('при');
});

test('a docx gives headings, lists, tables and notes', async () => {
  const cell = (text: string): string => `<w:tc>${docxParagraph(text)}</w:tc>`;
  const body = [
    docxParagraph('Berichte', '<w:pStyle w:val="berschrift1"/>'),
    docxParagraph('Numbered', '<w:pStyle w:val="berschrift2"/><w:numPr><w:ilvl w:val="0"/></w:numPr>'),
    docxParagraph('', '<w:pStyle w:val="berschrift1"/>'),
    '<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>One</w:t><w:tab/><w:t>run &amp; an</w:t></w:r><w:r><w:t>other</w:t><w:br/><w:t>line</w:t></w:r></w:p>',
    docxParagraph('item', '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'),
    docxParagraph('inner', '<w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr>'),
    `<w:tbl><w:tr>${cell('Name')}${cell('Age')}</w:tr><w:tr>${cell('Ann')}${cell('7')}</w:tr></w:tbl>`,
    '<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText><w:t>Last</w:t></w:r></w:p>',
    '<mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice><mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>',
  ];
  const styles = `<w:styles><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style></w:styles>`;
  const notes = `<w:footnotes><w:footnote>${docxParagraph('A note')}</w:footnote></w:footnotes>`;
  const document = docxOf(body.join(''), { 'word/styles.xml': styles, 'word/footnotes.xml': notes });
  expect(await read(document, 'a.docx')).toBe(
    [
      '# Berichte',
      '## Numbered',
      'One run & another\nline',
      '- item',
      '  - inner',
      'Name | Age\nAnn | 7',
      'Last',
      'box',
      'A note',
    ].join('\n\n'),
  );
});

test('a pptx gives its slides in their order, each with its notes', async () => {
  const table = `<a:tbl><a:tr><a:tc>${'<a:p><a:r><a:t>left</a:t></a:r></a:p>'}</a:tc><a:tc><a:p><a:r><a:t>right</a:t></a:r></a:p></a:tc></a:tr></a:tbl>`;
  const deck = pptxOf([
    {
      shapes:
        pptxShape('Welcome', 'title') + pptxShape('First point\nSecond point') + pptxShape('1', 'sldNum'),
      notes: pptxShape('', 'sldImg') + pptxShape('Say hello.') + pptxShape('1', 'sldNum'),
    },
    { shapes: pptxShape('', 'title') + pptxShape('Untitled') + table },
  ]);
  expect(await read(deck, 'a.pptx')).toBe(
    '# Welcome\nFirst point\nSecond point\n\nNotes: Say hello.\n\nUntitled\nleft | right',
  );
});

test('an xlsx gives its sheets by rows, with texts, numbers, truths and dates', async () => {
  const book = xlsxOf(
    {
      Orders: `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="inlineStr"><is><t>Inline</t></is></c></row>
        <row r="2"><c r="A2"><v>12.5</v></c><c r="B2" s="1"><v>45292</v></c><c r="C2" t="b"><v>1</v></c><c r="D2" t="str"><f>A2*2</f><v>25</v></c></row>
        <row r="3"><c r="B3" s="2"><v>45292.75</v></c><c r="C3" s="3"><v>0.5</v></c></row>`,
      Empty: '',
      'R &amp; D': '<row><c><v>1</v></c><c><v>2</v></c></row>',
    },
    {
      strings: '<si><t>Item</t></si><si><r><t>When </t></r><r><t>sent</t></r><rPh><t>reading</t></rPh></si>',
      styles:
        '<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;-&quot;mm hh"/><numFmt numFmtId="165" formatCode="[Red]0.0&quot;days&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>',
    },
  );
  expect(await read(book, 'a.xlsx')).toBe(
    [
      '# Orders',
      'Item\tWhen sent\t\tInline',
      '12.5\t2024-01-01\tTRUE\t25',
      '\t2024-01-01 18:00:00\t0.5',
      '',
      '# Empty',
      '',
      '# R & D',
      '1\t2',
    ].join('\n'),
  );
  const old = xlsxOf(
    { S: '<row><c s="0"><v>0.25</v></c><c s="0"><v>1</v></c></row>' },
    { properties: '<workbookPr date1904="1"/>', styles: '<cellXfs><xf numFmtId="22"/></cellXfs>' },
  );
  expect(await read(old, 'a.xlsx')).toBe('# S\n06:00:00\t1904-01-02');
});

test('a PDF gives its pages in order', async () => {
  const pdf = pdfOfPages([pdfLines('Page one', 'goes on'), 'q Q', pdfLines('Page three')]);
  expect(await read(pdf, 'a.pdf')).toBe('Page one\ngoes on\n\nPage three');
});

test('a PDF that is encrypted, broken or scanned says so', async () => {
  expect(await refusal(encryptedPdf(), 'a.pdf')).toBe('invalid_file: The PDF is encrypted.');
  expect(await refusal('%PDF-1.7 and nothing else', 'a.pdf')).toBe('invalid_file: The PDF is broken.');
  expect(await refusal(pdfOfPages(['q Q', 'q Q']), 'a.pdf')).toMatch(
    /^invalid_file: The PDF has no text.*scanned/,
  );
});

test.each([
  ['UniGB-UCS2-H', 'GB1', '4F60597D', 'UniGB-UCS2-H'],
  ['GBK-EUC-H', 'GB1', 'C4E3BAC3', 'GBK-EUC-H'],
  ['90ms-RKSJ-V', 'Japan1', '93FA967B', '90ms-RKSJ-V'],
  ['Identity-H', 'Korea1', '04D20500', 'Adobe-Korea1-UCS2'],
])('a PDF with text in a font of %s is not read by half', async (encoding, ordering, hex, map) => {
  expect(await refusal(characterMapPdf(encoding, ordering, hex), 'a.pdf')).toContain(
    `unsupported_file: The PDF has text in a font that goes by the predefined character map '${map}'`,
  );
});

test('Office files that are broken are invalid', async () => {
  const docx = docxOf(docxParagraph('text '.repeat(500)));
  expect(await refusal(docx.subarray(0, docx.length / 2), 'a.docx')).toBe(
    'invalid_file: The file is broken.',
  );
  const encrypted = Buffer.from(docx);
  for (let at = encrypted.indexOf('PK\x01\x02'); at >= 0; at = encrypted.indexOf('PK\x01\x02', at + 4)) {
    encrypted[at + 8] = 1;
  }
  expect(await refusal(encrypted, 'a.docx')).toBe('invalid_file: The file is encrypted.');
});

test('entities are not expanded', async () => {
  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join(
    '',
  );
  const bomb = archiveOf({
    'word/document.xml': `<!DOCTYPE d [<!ENTITY l0 "lol">${laughs}]><w:document><w:p><w:t>Ha &l9; &#33;</w:t></w:p></w:document>`,
  });
  expect(await read(bomb, 'a.docx')).toBe('Ha &l9; !');
});

test('more text than is read is refused in every format', async () => {
  const long = 'words and '.repeat(20);
  const documents: [string, string | Uint8Array][] = [
    ['a.txt', long],
    ['a.html', `<p>${long}`],
    ['a.docx', docxOf(docxParagraph(long))],
    ['a.pptx', pptxOf([{ shapes: pptxShape(long) }])],
    ['a.pdf', pdfOfPages([pdfLines(...Array.from({ length: 20 }, () => 'words and'))])],
  ];
  for (const [name, content] of documents) {
    expect(await read(content, name, 1000), name).toMatch(/^words and\s+words/);
    expect(await refusal(content, name, 100), name).toMatch(/^invalid_file: .*more than 100 characters/);
  }
});

test('a cell far to the right, or a text that many cells share, does not make a text without end', async () => {
  const far = '<row><c r="XFD1"><v>1</v></c></row>'.repeat(200);
  expect(await refusal(xlsxOf({ S: far }), 'a.xlsx')).toMatch(/^invalid_file: .*more than 1000000/);
  const shared = `<row>${'<c t="s"><v>0</v></c>'.repeat(200)}</row>`;
  const strings = `<si><t>${'long '.repeat(2000)}</t></si>`;
  expect(await refusal(xlsxOf({ S: shared }, { strings }), 'a.xlsx')).toMatch(
    /^invalid_file: .*more than 1000000/,
  );
});
