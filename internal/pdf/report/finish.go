package report

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// finish writes the document as the library made it, with what the library lacks: the
// pictures, in a fixed order and without a copy of their bytes, a map from characters to
// Unicode that is one by ISO 32000-1, 9.10.3, and the file's ID. pictures are drawn by the
// document's pages as /P1, /P2 and so on.
//
// The library's file has one cross-reference table at its end and its resources in object 2.
// The names of the pictures are put into that object, their own objects before the table.
func finish(w io.Writer, doc []byte, pictures []picture) error {
	table, offsets, err := readTable(doc)
	if err != nil {
		return err
	}
	edits, err := editsOf(doc[:table], offsets, len(pictures))
	if err != nil {
		return err
	}
	trailer, err := trailerOf(doc[:table], doc[table:], offsets)
	if err != nil {
		return err
	}
	out := &counter{w: w, sum: sha256.New()}
	at, moved := 0, make([]int, len(offsets))
	copy(moved, offsets)
	for _, e := range edits {
		out.write(doc[at:e.from])
		out.write(e.text)
		at = e.to
		for i, old := range offsets {
			if old >= e.to {
				moved[i] = old + out.n - e.to
			}
		}
	}
	out.write(doc[at:table])
	for _, p := range pictures {
		moved = append(moved, out.n)
		out.printf("%d 0 obj\n<</Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 %s /Length %d>>\nstream\n",
			len(moved)-1, p.width, p.height, p.form, len(p.data))
		out.write(p.data)
		out.printf("\nendstream\nendobj\n")
	}
	return out.end(moved, trailer)
}

// edit puts text in the place of what stands between two offsets.
type edit struct {
	from, to int
	text     []byte
}

// editsOf returns the edits of the library's objects, in their order.
func editsOf(doc []byte, offsets []int, pictures int) ([]edit, error) {
	const resources, cmap, length, end = "/XObject <<\n", ">>\nstream\n/CIDInit /ProcSet", "<</Length ", "\nendstream"
	var edits []edit
	for at := 0; ; {
		i := bytes.Index(doc[at:], []byte(cmap))
		if i < 0 {
			break
		}
		from, size := bytes.LastIndex(doc[:at+i], []byte(length)), bytes.Index(doc[at+i:], []byte(end))
		if from < 0 || size < 0 {
			return nil, errLayout
		}
		at += i + size
		edits = append(edits, edit{from, at, unicodeMap()})
	}
	names := bytes.Index(doc[offsets[2]:], []byte(resources))
	if names < 0 {
		return nil, errLayout
	}
	names += offsets[2] + len(resources)
	var text []byte
	for i := range pictures {
		text = fmt.Appendf(text, "/P%d %d 0 R\n", i+1, len(offsets)+i)
	}
	return append(edits, edit{names, names, text}), nil // the resources follow the fonts
}

// unicodeMap is a stream, without its end, that maps every code of two bytes to itself. The
// library's runs over the second byte, which some readers refuse.
var unicodeMap = sync.OnceValue(func() []byte {
	text := []byte("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for from := 0; from < 256; from += 64 { // a hundred ranges at most
		text = append(text, "64 beginbfrange\n"...)
		for high := from; high < from+64; high++ {
			text = fmt.Appendf(text, "<%02X00> <%02XFF> <%02X00>\n", high, high, high)
		}
		text = append(text, "endbfrange\n"...)
	}
	text = append(text, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"...)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(text) // a buffer takes everything
	_ = z.Close()
	return fmt.Appendf(nil, "<</Filter /FlateDecode /Length %d>>\nstream\n%s", packed.Len(), packed.Bytes())
})

// trailerOf returns the entries of the trailer that name the catalogue and the description.
// The library names the colour profile where the latter should stand.
func trailerOf(doc, tail []byte, offsets []int) (string, error) {
	var root int
	_, rest, ok := bytes.Cut(tail, []byte("/Root "))
	if _, err := fmt.Sscanf(string(rest[:min(len(rest), 20)]), "%d 0 R", &root); !ok || err != nil {
		return "", errLayout
	}
	for n, at := range offsets {
		if bytes.HasPrefix(doc[at:], fmt.Appendf(nil, "%d 0 obj\n<<\n/Producer ", n)) {
			return fmt.Sprintf("/Root %d 0 R\n/Info %d 0 R", root, n), nil
		}
	}
	return "", errLayout
}

var errLayout = errors.New("the library's PDF is not laid out as expected")

// readTable returns where the cross-reference table stands, and the offset of each object by
// its number.
func readTable(doc []byte) (table int, offsets []int, err error) {
	_, end, ok := bytes.Cut(doc[max(0, len(doc)-40):], []byte("startxref\n"))
	number, _, _ := bytes.Cut(end, []byte("\n"))
	table, err = strconv.Atoi(string(number))
	if !ok || err != nil || table < 0 || table > len(doc) {
		return 0, nil, errLayout
	}
	var count int
	if _, err := fmt.Fscanf(bytes.NewReader(doc[table:]), "xref\n0 %d\n", &count); err != nil {
		return 0, nil, errLayout
	}
	const line = 20
	at := table + len(fmt.Sprintf("xref\n0 %d\n", count))
	if count < 3 || count > (len(doc)-at)/line {
		return 0, nil, errLayout
	}
	for i := range count {
		offset, err := strconv.Atoi(string(doc[at+i*line : at+i*line+10]))
		if err != nil || offset > table {
			return 0, nil, errLayout
		}
		offsets = append(offsets, offset)
	}
	return table, offsets, nil
}

// counter writes, counts and hashes. The first error stays.
type counter struct {
	w   io.Writer
	sum interface {
		io.Writer
		Sum([]byte) []byte
	}
	n   int
	err error
}

func (c *counter) write(b []byte) {
	if c.err != nil {
		return
	}
	_, _ = c.sum.Write(b) // a hash takes everything
	n, err := c.w.Write(b)
	c.n += n
	c.err = err
}

func (c *counter) printf(format string, args ...any) { c.write(fmt.Appendf(nil, format, args...)) }

// end writes the table and the trailer. The ID is made of the content, so that equal content
// has an equal one.
func (c *counter) end(offsets []int, trailer string) error {
	id, table := c.sum.Sum(nil)[:16], c.n
	c.printf("xref\n0 %d\n0000000000 65535 f \n", len(offsets))
	for _, at := range offsets[1:] {
		c.printf("%010d 00000 n \n", at)
	}
	c.printf("trailer\n<<\n/Size %d\n%s\n/ID [<%x> <%x>]\n>>\nstartxref\n%d\n%%%%EOF\n", len(offsets), trailer, id, id, table)
	if c.err != nil {
		return fmt.Errorf("writing the PDF: %w", c.err)
	}
	return nil
}
