package find

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
)

// evaluation is where documents lie that are not ours to commit, and what other programs
// measured in them.
const evaluation = "../../../../shared/data/eval"

// measured is one measurement: of a phrase or a field, in user space.
type measured struct {
	Kind, File, Phrase, Name, FieldType string
	Page                                int
	CropBox                             [4]float64
	Rotate                              int
	Signed                              bool
	Rect                                [4]float64 // of a field
	Poppler                             [4]float64 `json:"user_rect_poppler"`
	MuPDF                               [4]float64 `json:"user_rect_mupdf"`
	Baseline                            [2]float64 `json:"baseline_start_user"`
}

func evaluated[T any](t *testing.T, name string) (rows []T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(evaluation, "labels", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("there are no evaluation documents")
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var row T
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func evaluationFile(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(evaluation, "pdf", name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEvaluationPlacesAreWhereTheyWereMeasured(t *testing.T) {
	for _, m := range evaluated[measured](t, "pdf_positions.jsonl") {
		file, p := evaluationFile(t, m.File), esign.Position{Width: 10, Height: 10}
		rect := box{m.Rect[0], m.Rect[1], m.Rect[2], m.Rect[3]}
		what := m.File + " " + m.Name + m.Phrase
		if p.AcroField = m.Name; m.Kind == "phrase" {
			p.TextContent = m.Phrase
			rect = box{m.Poppler[0], m.Poppler[1], m.Poppler[2], m.Poppler[3]}
		}
		spots, err := shared().Places(t.Context(), file, []esign.Signature{{Name: "s", Position: p}})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		page := sheet{box{m.CropBox[0], m.CropBox[1], m.CropBox[2], m.CropBox[3]}, m.Rotate}
		want := page.place(rect, 0, 0, 10, 10)
		near := 1.0
		if m.Kind == "phrase" && !rect.isNearly(box{m.MuPDF[0], m.MuPDF[1], m.MuPDF[2], m.MuPDF[3]}) {
			near = 3 // the programs do not agree on how far the font reaches
		}
		best := math.Inf(1)
		for _, s := range spots {
			if s.Page == m.Page && s.Rotate == m.Rotate {
				best = min(best, math.Hypot(s.X-want.x0, s.Y-want.y0))
			}
		}
		t.Logf("%s: %.3f points away (%d spots)", what, best, len(spots))
		if best > near {
			t.Errorf("%s: %+v, want %+v", what, spots, want)
		}
		if m.Kind == "field" && (len(spots) != 1 || m.Signed && spots[0].Field != "") {
			t.Errorf("%s: %+v", what, spots)
		}
	}
}

func TestEvaluationBaseLinesAreWhereTheyWereMeasured(t *testing.T) {
	for _, m := range evaluated[measured](t, "pdf_positions.jsonl") {
		if m.Kind != "phrase" {
			continue
		}
		best := math.Inf(1)
		err := shared().read(t.Context(), evaluationFile(t, m.File), func(d *document) error {
			return d.page(m.Page, func(p *page) error {
				return p.texts(func(letters []letter, r *ruler) error {
					for _, at := range matches(letters, m.Phrase, maxMatches) {
						o, _, err := r.occurrence(letters, at)
						if err != nil {
							return err
						}
						best = min(best, math.Hypot(o.startX-m.Baseline[0], o.startY-m.Baseline[1]))
						t.Logf("%s: %+v, poppler %v mupdf %v", m.File, o, m.Poppler, m.MuPDF)
					}
					return nil
				})
			})
		})
		if err != nil || best > 1 {
			t.Errorf("%s %q: %v points away, %v", m.File, m.Phrase, best, err)
		}
	}
}

func TestEvaluationDocumentsAreJudgedAsLabelled(t *testing.T) {
	for _, row := range evaluated[struct{ File, Expect string }](t, "pdf.jsonl") {
		err := shared().Check(t.Context(), evaluationFile(t, row.File))
		bad := err != nil && !fault.Is(err, fault.Invalid)
		switch row.Expect {
		case "ok", "keep-signature", "sign-into-field":
			bad = bad || err != nil
		case "encrypted":
			bad = bad || !errors.Is(err, errEncrypted)
		case "reject":
			bad = bad || err == nil
		case "robust": // repaired or refused
		default:
			t.Errorf("%s: nobody knows what %q means", row.File, row.Expect)
		}
		if bad {
			t.Errorf("%s, expected %s: %v", row.File, row.Expect, err)
		}
	}
}
