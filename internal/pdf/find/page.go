package find

import (
	"errors"
	"fmt"
	"strings"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/tetratelabs/wazero/sys"

	"vidimus/internal/domain/fault"
)

// trapped says whether a call ended because the sandbox broke, which is nothing that PDFium
// says about the file.
func trapped(err error) bool {
	if err == nil {
		return false
	}
	_, exited := errors.AsType[*sys.ExitError](err)
	return exited || strings.Contains(err.Error(), "wasm error") || strings.Contains(err.Error(), "panic")
}

// page is one page of an open document.
type page struct {
	doc    *document
	number int // from 1
	ref    requests.Page
	handle references.FPDF_PAGE
	sheet
}

// page calls work with the page of that number, from 1, which must be there.
func (d *document) page(number int, work func(*page) error) error {
	loaded, err := d.pdfium.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: d.ref, Index: number - 1})
	switch {
	case trapped(err):
		return fmt.Errorf("loading page %d: %w", number, err)
	case err != nil:
		return fault.New(fault.Invalid, "The PDF is damaged: page %d cannot be read", number).Because(err)
	}
	p := &page{doc: d, number: number, handle: loaded.Page, ref: requests.Page{ByReference: &loaded.Page}}
	err = p.measure()
	if err == nil {
		err = work(p)
	}
	if _, bad := d.pdfium.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page}); bad != nil && err == nil {
		err = fmt.Errorf("closing page %d: %w", number, bad)
	}
	return err
}

// measure reads the page's box and rotation, wherever in the tree of pages they stand.
func (p *page) measure() error {
	bounds, err := p.doc.pdfium.FPDF_GetPageBoundingBox(&requests.FPDF_GetPageBoundingBox{Page: p.ref})
	if err != nil {
		return fmt.Errorf("reading the boxes of page %d: %w", p.number, err)
	}
	rotation, err := p.doc.pdfium.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: p.ref})
	if err != nil {
		return fmt.Errorf("reading the rotation of page %d: %w", p.number, err)
	}
	r := bounds.Rect
	p.sheet = sheet{
		visible: around(float64(r.Left), float64(r.Bottom), float64(r.Right), float64(r.Top)),
		rotate:  int(rotation.PageRotation) % 4 * 90,
	}
	return nil
}
