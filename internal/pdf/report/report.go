// Package report writes the result of an identification as a PDF that a bank can file:
// everything the result says, how it was reached, and the pictures. It decides what stands
// where, in which words, and which marks a changed, missing or preliminary value carries.
// Specification, chapters 13.1 and 13.1.6.
//
// The file is PDF/A-2u (ISO 19005-2): fonts and colours are embedded, all text can be found
// and copied, it says what it is, and nothing in it is encrypted or runs.
package report

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"vidimus/internal/service/publish"
)

// Options are what does not change between reports.
type Options struct {
	Product string // name of the platform, on every page; empty: Vidimus
}

// Writer writes reports. It may be used by several goroutines at once.
type Writer struct {
	product string
	fonts   *fontSet
}

var _ publish.Reporter = (*Writer)(nil)

// New returns a Writer. The first call prepares the fonts, which takes a moment.
func New(o Options) *Writer {
	w := &Writer{product: o.Product, fonts: loadFonts()}
	if w.product == "" {
		w.product = "Vidimus"
	}
	w.product, _ = w.fonts.clean(w.product)
	return w
}

// Report writes r to out. Equal reports give equal bytes. Text of any kind is taken: what
// the fonts lack is shown as U+FFFD, with a note at the end, and values of more than 4000
// characters are cut. A picture that is neither JPEG nor PNG is named, not shown. Errors are
// those of out.
func (w *Writer) Report(out io.Writer, r publish.Report) error {
	if r.Made.IsZero() {
		r.Made = time.Unix(0, 0) // the library would take the present moment
	}
	r.Made = r.Made.UTC().Truncate(time.Second)
	text, language := in(r.Language)
	s := &sheet{doc: w.document(), fonts: w.fonts, words: text}

	number := s.clean(r.Result.Process.TransactionNumber)
	about := text.number + " " + number + "  ·  " + text.id + " " + s.clean(r.Result.Process.ID)
	s.heading = s.clean(r.Company) + "  ·  " + text.title + " (" + text.continued + ")"
	if preliminary(r) {
		s.caution = text.preliminary
	}
	s.content(r)
	s.footers(about, w.product+"  ·  "+fmt.Sprintf(text.made, r.Made.Format(text.dateTime)))

	title, author := text.title+" "+number, s.clean(r.Company)
	w.describe(s.doc, title, author, language, r.Made)
	var doc bytes.Buffer
	if err := s.doc.Output(&doc); err != nil {
		return fmt.Errorf("laying out the report: %w", err)
	}
	return finish(out, doc.Bytes(), s.pictures)
}

// document returns an empty document with the fonts.
func (w *Writer) document() *fpdf.Fpdf {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCatalogSort(true)
	doc.SetAutoPageBreak(false, 0)
	for f := range faces {
		doc.AddUTF8FontFromBytes(string(f), "", w.fonts.files[f])
	}
	return doc
}

// describe says what the file is.
func (w *Writer) describe(doc *fpdf.Fpdf, title, author, language string, made time.Time) {
	doc.SetTitle(title, true)
	doc.SetAuthor(author, true)
	doc.SetCreator(w.product, true)
	doc.SetProducer(w.product, true)
	doc.SetCreationDate(made)
	doc.SetModificationDate(made)
	doc.SetLang(language)
	doc.SetXmpMetadata(metadata(title, author, w.product, language, made))
	doc.AddOutputIntent(fpdf.OutputIntentType{
		SubtypeIdent:              fpdf.OutputIntent_GTS_PDFA1, // the name in every part of PDF/A
		OutputConditionIdentifier: "sRGB IEC61966-2.1",
		Info:                      "sRGB IEC61966-2.1",
		ICCProfile:                srgb(),
	})
}
