package report

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// picture is an image as an object of the PDF.
type picture struct {
	width, height int
	form          string // the entries of its dictionary that depend on the format
	data          []byte
}

// maxPixels bounds a picture that has to be decoded.
const maxPixels = 40_000_000

var errPicture = errors.New("this is no picture that can be shown")

// readPicture returns a JPEG, or a PNG of 8 bits a channel without transparency, as it is;
// others are decoded and stand on white.
func readPicture(b []byte) (picture, error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return picture{}, errPicture
	}
	p := picture{width: c.Width, height: c.Height, data: b}
	if format == "jpeg" {
		switch c.ColorModel {
		case color.YCbCrModel:
			p.form = "/ColorSpace /DeviceRGB /Filter /DCTDecode"
			return p, nil
		case color.GrayModel:
			p.form = "/ColorSpace /DeviceGray /Filter /DCTDecode"
			return p, nil
		}
	}
	if data, channels, ok := plainPNG(b); format == "png" && ok {
		space := map[int]string{1: "DeviceGray", 3: "DeviceRGB"}[channels]
		p.data = data
		p.form = fmt.Sprintf("/ColorSpace /%s /Filter /FlateDecode /DecodeParms <</Predictor 15 /Colors %d /BitsPerComponent 8 /Columns %d>>", space, channels, c.Width)
		return p, nil
	}
	if c.Width > maxPixels/c.Height {
		return picture{}, errPicture
	}
	return decoded(b, format)
}

// plainPNG returns the compressed rows of a PNG that a PDF can hold unchanged (ISO 32000-1,
// 7.4.4.4): gray or RGB, 8 bits, not interlaced, without transparency.
func plainPNG(b []byte) (data []byte, channels int, ok bool) {
	const signature, header = 8, 13
	for at := signature; len(b)-at >= 12; {
		n, kind := int(binary.BigEndian.Uint32(b[at:])), string(b[at+4:at+8])
		if n > len(b)-at-12 {
			return nil, 0, false
		}
		chunk := b[at+8 : at+8+n]
		at += 12 + n
		switch kind {
		case "IHDR":
			if n != header || chunk[8] != 8 || chunk[12] != 0 {
				return nil, 0, false
			}
			channels = map[byte]int{0: 1, 2: 3}[chunk[9]]
		case "tRNS":
			return nil, 0, false
		case "IDAT":
			data = append(data, chunk...)
		case "IEND":
			return data, channels, channels > 0 && len(data) > 0
		}
	}
	return nil, 0, false
}

// decoded returns the picture's colours, three bytes a pixel.
func decoded(b []byte, format string) (picture, error) {
	read := png.Decode
	if format == "jpeg" {
		read = jpeg.Decode
	}
	m, err := read(bytes.NewReader(b))
	if err != nil {
		return picture{}, errPicture
	}
	size := m.Bounds()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	row := make([]byte, 0, 3*size.Dx())
	for y := size.Min.Y; y < size.Max.Y; y++ {
		row = row[:0]
		for x := size.Min.X; x < size.Max.X; x++ {
			r, g, b, a := m.At(x, y).RGBA()
			white := 0xFFFF - a
			row = append(row, byte((r+white)>>8), byte((g+white)>>8), byte((b+white)>>8)) //nolint:gosec // 16 bits to 8
		}
		_, _ = z.Write(row) // a buffer takes everything
	}
	_ = z.Close()
	return picture{width: size.Dx(), height: size.Dy(), form: "/ColorSpace /DeviceRGB /Filter /FlateDecode", data: out.Bytes()}, nil
}
