package company

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
)

// ImageType is the media type of an Image.
type ImageType string

// The types of pictures that a company may bring.
const (
	TypePNG  ImageType = "image/png"
	TypeJPEG ImageType = "image/jpeg"
	TypeSVG  ImageType = "image/svg+xml"
)

// Image is a picture that a company brings. The zero Image is none.
type Image struct {
	Type ImageType
	Data []byte
}

// IsZero says whether there is no picture.
func (i Image) IsZero() bool { return i.Type == "" && len(i.Data) == 0 }

// maxSide is the largest width and height of a picture, in pixels.
const maxSide = 8192

// DetectImage tells the type of a picture by its content; false when it is none that we
// take: not PNG, JPEG or SVG, more than 8192 pixels wide or high, or an SVG that runs code or
// loads anything.
func DetectImage(data []byte) (ImageType, bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		c, err := png.DecodeConfig(bytes.NewReader(data))
		return TypePNG, err == nil && c.Width <= maxSide && c.Height <= maxSide
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		return TypeJPEG, err == nil && c.Width <= maxSide && c.Height <= maxSide
	default:
		return TypeSVG, harmlessSVG(data)
	}
}

// harmlessSVG reads the whole picture: it must be well-formed, and hold neither scripts nor
// references to anything outside itself.
func harmlessSVG(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	for depth, elements := 0, 0; ; {
		token, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF) && elements > 0
		}
		switch token := token.(type) {
		case xml.Directive:
			if bytes.ContainsRune(token, '[') {
				return false // it declares entities
			}
		case xml.CharData:
			if loads(string(token)) {
				return false
			}
		case xml.StartElement:
			if depth == 0 && (elements > 0 || token.Name.Local != "svg") || depth > 100 || !harmlessElement(token) {
				return false
			}
			depth++
			elements++
		case xml.EndElement:
			depth--
		case xml.ProcInst:
			if token.Target != "xml" {
				return false // xml-stylesheet loads
			}
		}
	}
}

func harmlessElement(e xml.StartElement) bool {
	switch strings.ToLower(e.Name.Local) {
	case "script", "foreignobject", "iframe", "embed", "object", "handler", "animate", "set":
		return false
	}
	for _, a := range e.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.TrimSpace(a.Value))
		switch {
		case strings.HasPrefix(name, "on"):
			return false
		case name == "href" && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "data:image/png") && !strings.HasPrefix(value, "data:image/jpeg"):
			return false
		case strings.Contains(value, "javascript:"), loads(value):
			return false
		}
	}
	return true
}

// loads says whether a piece of style sheet refers to anything outside the picture. A
// backslash could hide that it does.
func loads(style string) bool {
	style = strings.ReplaceAll(strings.ToLower(style), "url(#", "")
	return strings.Contains(style, "url(") || strings.Contains(style, "@import") || strings.Contains(style, `\`)
}
