package appearance

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"sync"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
)

const (
	maxPixels = 8192 * 8192 // that an account's seal may have
	maxSide   = 1600        // that a form carries: 450 dots per inch where it is 250 points wide
)

// decoding is held by whoever decodes: a large picture takes a quarter of a gigabyte.
var decoding sync.Mutex

// ReadSeal prepares an account's picture, once for many signatures. A JPEG stays as it is;
// a PNG is decoded, keeps its transparency, and is made smaller where it has more dots than
// anybody can see. What is neither is fault.Invalid.
func ReadSeal(seal company.Image) (*Image, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(seal.Data))
	if err != nil || config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil, errPicture.Because(err)
	}
	plain := config.ColorModel == color.YCbCrModel || config.ColorModel == color.GrayModel
	if format == "jpeg" && plain && max(config.Width, config.Height) <= 2*maxSide {
		return &Image{Width: config.Width, Height: config.Height, Gray: config.ColorModel == color.GrayModel, JPEG: true, Data: seal.Data}, nil
	}
	decoding.Lock()
	defer decoding.Unlock()
	var picture image.Image
	switch format {
	case "jpeg":
		picture, err = jpeg.Decode(bytes.NewReader(seal.Data))
	case "png":
		picture, err = png.Decode(bytes.NewReader(seal.Data))
	default:
		return nil, errPicture
	}
	if err != nil {
		return nil, errPicture.Because(err)
	}
	return pack(picture), nil
}

var errPicture = fault.New(fault.Invalid, "The seal is no PNG or JPEG picture that can be drawn")

// pack makes an image of a picture, and its mask where it is not opaque. The mean of so many
// dots, each as much as it is opaque, becomes one.
func pack(picture image.Image) *Image {
	bounds := picture.Bounds()
	step := (max(bounds.Dx(), bounds.Dy()) + maxSide - 1) / maxSide
	width, height := (bounds.Dx()+step-1)/step, (bounds.Dy()+step-1)/step
	colours, alphas, opaque := newRows(), newRows(), true
	for y := range height {
		row, mask := make([]byte, 0, 3*width), make([]byte, 0, width)
		for x := range width {
			area := image.Rect(x*step, y*step, (x+1)*step, (y+1)*step).Add(bounds.Min).Intersect(bounds)
			c := mean(picture, area)
			row, mask = append(row, c.R, c.G, c.B), append(mask, c.A)
			opaque = opaque && c.A == 0xFF
		}
		colours.write(row)
		alphas.write(mask)
	}
	out := &Image{Width: width, Height: height, Data: colours.bytes()}
	if !opaque {
		out.Alpha = &Image{Width: width, Height: height, Gray: true, mask: true, Data: alphas.bytes()}
	}
	return out
}

func mean(picture image.Image, area image.Rectangle) color.NRGBA {
	if area.Dx() == 1 && area.Dy() == 1 {
		return color.NRGBAModel.Convert(picture.At(area.Min.X, area.Min.Y)).(color.NRGBA) //nolint:errcheck,forcetypeassert // that is what the model makes
	}
	var r, g, b, a, n uint64
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			cr, cg, cb, ca := picture.At(x, y).RGBA()
			r, g, b, a, n = r+uint64(cr), g+uint64(cg), b+uint64(cb), a+uint64(ca), n+1
		}
	}
	if a == 0 {
		return color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF}
	}
	return color.NRGBA{uint8(r * 0xFF / a), uint8(g * 0xFF / a), uint8(b * 0xFF / a), uint8(a / n >> 8)} //nolint:gosec // parts of a whole
}

// rows compresses what it is given.
type rows struct {
	out bytes.Buffer
	z   *zlib.Writer
}

func newRows() *rows {
	r := &rows{}
	r.z = zlib.NewWriter(&r.out)
	return r
}

func (r *rows) write(row []byte) { _, _ = r.z.Write(row) } // a buffer takes everything

func (r *rows) bytes() []byte {
	_ = r.z.Close()
	return r.out.Bytes()
}
