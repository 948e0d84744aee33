package report

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// finish writes the document as the library made it, with what the library lacks: the
// pictures, in a fixed order and without a copy of their bytes, and the file's ID. pictures
// are drawn by the document's pages as /P1, /P2 and so on.
//
// The library's file has one cross-reference table at its end and its resources in object 2.
// The names of the pictures are put into that object, their own objects before the table.
func finish(w io.Writer, doc []byte, pictures []picture) error {
	table, offsets, err := readTable(doc)
	if err != nil {
		return err
	}
	const mark, trailer = "/XObject <<\n", "trailer\n<<\n"
	names := bytes.Index(doc[offsets[2]:table], []byte(mark))
	rest := bytes.Index(doc[table:], []byte(trailer))
	if names < 0 || rest < 0 {
		return errLayout
	}
	names += offsets[2] + len(mark)

	out := &counter{w: w, sum: sha256.New()}
	out.write(doc[:names])
	for i := range pictures {
		out.printf("/P%d %d 0 R\n", i+1, len(offsets)+i)
	}
	shift := out.n - names
	for i, at := range offsets {
		if at > names {
			offsets[i] += shift
		}
	}
	out.write(doc[names:table])
	for _, p := range pictures {
		offsets = append(offsets, out.n)
		out.printf("%d 0 obj\n<</Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 %s /Length %d>>\nstream\n",
			len(offsets)-1, p.width, p.height, p.form, len(p.data))
		out.write(p.data)
		out.printf("\nendstream\nendobj\n")
	}
	return out.end(offsets, doc[table+rest+len(trailer):])
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

// end writes the table and the trailer; rest is the library's trailer after its opening. The
// ID is made of the content, so that equal content has an equal one.
func (c *counter) end(offsets []int, rest []byte) error {
	id, table := c.sum.Sum(nil)[:16], c.n
	c.printf("xref\n0 %d\n0000000000 65535 f \n", len(offsets))
	for _, at := range offsets[1:] {
		c.printf("%010d 00000 n \n", at)
	}
	_, rest, ok := bytes.Cut(rest, []byte("\n")) // its /Size
	kept, _, found := bytes.Cut(rest, []byte(">>"))
	if !ok || !found {
		return errLayout
	}
	c.printf("trailer\n<<\n/Size %d\n%s/ID [<%x> <%x>]\n>>\nstartxref\n%d\n%%%%EOF\n", len(offsets), kept, id, id, table)
	if c.err != nil {
		return fmt.Errorf("writing the PDF: %w", c.err)
	}
	return nil
}
