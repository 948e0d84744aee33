package find

import (
	"bytes"
	"context"
	"fmt"
	"image/png"

	"github.com/klippa-app/go-pdfium/requests"

	"vidimus/internal/domain/fault"
)

// maxPixels bounds a picture of a page.
const maxPixels = 20_000_000

// Render returns a picture of a page, from 1, as displayed and with its form, as PNG. A page
// that the document does not have is fault.NotFound; one that would be too large at so many
// dots per inch fault.Invalid.
func (f *Finder) Render(ctx context.Context, file []byte, page, dpi int) ([]byte, error) {
	var out bytes.Buffer
	err := f.read(ctx, file, func(d *document) error {
		if page < 1 || page > d.pages {
			return fault.New(fault.NotFound, "The document does not have page %d", page)
		}
		size, err := d.pdfium.FPDF_GetPageSizeByIndex(&requests.FPDF_GetPageSizeByIndex{Document: d.ref, Index: page - 1})
		if err != nil {
			return fmt.Errorf("measuring page %d: %w", page, err)
		}
		if scale := float64(dpi) / 72; dpi <= 0 || size.Width*scale*size.Height*scale > maxPixels {
			return fault.New(fault.Invalid, "Page %d cannot be shown at %d dots per inch", page, dpi)
		}
		rendered, err := d.pdfium.RenderPageInDPI(&requests.RenderPageInDPI{
			Page: requests.Page{ByIndex: &requests.PageByIndex{Document: d.ref, Index: page - 1}},
			DPI:  dpi, RenderForm: true, Document: &d.ref,
		})
		if err != nil {
			return fmt.Errorf("drawing page %d: %w", page, err)
		}
		defer rendered.Cleanup()
		if err := png.Encode(&out, rendered.Result.RenderedImage); err != nil {
			return fmt.Errorf("writing a picture: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
