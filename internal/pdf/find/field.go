package find

import (
	"fmt"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"
)

// field is a field of the form where it is first shown.
type field struct {
	box   box  // in user space; it may be empty, as that of an invisible signature
	empty bool // a signature field that nobody has signed in
}

// form calls work with a handle of the document's form. No script of it runs: PDFium is
// built without an interpreter.
func (d *document) form(work func(references.FPDF_FORMHANDLE) error) (err error) {
	created, err := d.pdfium.FPDFDOC_InitFormFillEnvironment(&requests.FPDFDOC_InitFormFillEnvironment{Document: d.ref, FormFillInfo: nothingHappens})
	if err != nil {
		return fmt.Errorf("opening the form: %w", err)
	}
	defer func() {
		if _, bad := d.pdfium.FPDFDOC_ExitFormFillEnvironment(&requests.FPDFDOC_ExitFormFillEnvironment{FormHandle: created.FormHandle}); bad != nil && err == nil {
			err = fmt.Errorf("closing the form: %w", bad)
		}
	}()
	return work(created.FormHandle)
}

// nothingHappens are the callbacks that the library insists on. Nobody fills the form, so
// none has anything to do.
var nothingHappens = structs.FPDF_FORMFILLINFO{
	FFI_Invalidate:         func(references.FPDF_PAGE, float64, float64, float64, float64) {},
	FFI_SetCursor:          func(enums.FXCT) {},
	FFI_SetTimer:           func(int, func(int)) int { return 0 },
	FFI_KillTimer:          func(int) {},
	FFI_GetLocalTime:       func() structs.FPDF_SYSTEMTIME { return structs.FPDF_SYSTEMTIME{} },
	FFI_GetPage:            func(references.FPDF_DOCUMENT, int) *references.FPDF_PAGE { return nil },
	FFI_GetRotation:        func(references.FPDF_PAGE) enums.FPDF_PAGE_ROTATION { return 0 },
	FFI_ExecuteNamedAction: func(string) {},
}

// fields adds to found the fields that are shown on the page, by their full name. Of one that
// is shown more than once the first place counts.
func (p *page) fields(form references.FPDF_FORMHANDLE, found map[string]anchor) error {
	api := p.doc.pdfium
	count, err := api.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: p.ref})
	if err != nil {
		return fmt.Errorf("counting annotations: %w", err)
	}
	for i := range count.Count {
		annotation, err := api.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: p.ref, Index: i})
		if err != nil {
			if trapped(err) {
				return fmt.Errorf("reading an annotation: %w", err)
			}
			continue // an entry that is no annotation
		}
		name, f, err := p.field(form, annotation.Annotation)
		if err == nil && name != "" {
			if _, known := found[name]; !known {
				found[name] = anchor{f, p.sheet, p.number}
			}
		}
		if _, bad := api.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: annotation.Annotation}); bad != nil && err == nil {
			err = fmt.Errorf("closing an annotation: %w", bad)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// field reads one annotation. No name: it is none of a field.
func (p *page) field(form references.FPDF_FORMHANDLE, annotation references.FPDF_ANNOTATION) (name string, f field, err error) {
	api := p.doc.pdfium
	subtype, err := api.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: annotation})
	if err != nil || subtype.Subtype != enums.FPDF_ANNOT_SUBTYPE_WIDGET {
		return "", f, onlyTrap(err)
	}
	named, err := api.FPDFAnnot_GetFormFieldName(&requests.FPDFAnnot_GetFormFieldName{FormHandle: form, Annotation: annotation})
	if err != nil {
		return "", f, onlyTrap(err)
	}
	rect, err := api.FPDFAnnot_GetRect(&requests.FPDFAnnot_GetRect{Annotation: annotation})
	if err != nil {
		return "", f, onlyTrap(err)
	}
	kind, err := api.FPDFAnnot_GetFormFieldType(&requests.FPDFAnnot_GetFormFieldType{FormHandle: form, Annotation: annotation})
	if err != nil {
		return "", f, onlyTrap(err)
	}
	signed, err := api.FPDFAnnot_HasKey(&requests.FPDFAnnot_HasKey{Annotation: annotation, Key: "V"})
	if err != nil {
		return "", f, onlyTrap(err)
	}
	whole, err := api.FPDFAnnot_HasKey(&requests.FPDFAnnot_HasKey{Annotation: annotation, Key: "T"})
	if err != nil {
		return "", f, onlyTrap(err)
	}
	r := rect.Rect
	f.box = around(float64(r.Left), float64(r.Bottom), float64(r.Right), float64(r.Top))
	// Where the field and what shows it are two objects, the signature is the field's, which
	// PDFium does not show: it is empty for sure only where nothing is signed.
	f.empty = kind.FormFieldType == enums.FPDF_FORMFIELD_TYPE_SIGNATURE && !signed.HasKey && (whole.HasKey || !p.doc.signed)
	return named.FormFieldName, f, nil
}

// anchor is what a place is relative to, with the page that shows it.
type anchor struct {
	field
	sheet
	number int
}
