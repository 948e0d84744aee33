// Package appearance draws what a signature looks like in a document: a seal with one or two
// lines of text, or handwriting. Specification, chapter 7.1.2. What it draws is a form
// XObject in plain bytes that any writer of PDF can store; it needs nothing of the document
// around it, uses only plain colours and fonts that it brings along, and so keeps a PDF/A
// what it is.
package appearance

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"vidimus/internal/domain/esign"
)

// Form is a form XObject (ISO 32000-1, 8.10) from 0, 0 to Width, Height, in points, upright.
type Form struct {
	Width, Height float64
	Content       []byte            // the content stream
	Fonts         map[string]*Font  // by the names that Content uses
	Images        map[string]*Image // likewise
}

// Font is a Type 0 font with the encoding Identity-H: a TrueType font cut down to the
// glyphs in use, whose numbers are the character codes.
type Font struct {
	Name            string   // with the tag of a subset
	File            []byte   // the TrueType font
	Widths          []int    // of each glyph, in thousandths of the size
	Text            []string // what each glyph means; empty: nothing
	Box             [4]int   // in thousandths, as the numbers below
	Ascent, Descent int
	CapHeight       int
}

// Image is a picture whose data is compressed already.
type Image struct {
	Width, Height int
	Gray          bool // else RGB; 8 bits each
	JPEG          bool // Data is a JPEG file; else rows without padding, compressed by zlib
	Data          []byte
	Alpha         *Image // how opaque it is, gray; nil: everywhere
	mask          bool
}

// white is that of sRGB: colours mean the same whatever screen or paper the document around
// them is for, which a PDF/A asks for where it does not say that.
const white = "/WhitePoint[.9505 1 1.089]"

// Upright returns how wide and high the form for a place is: as the page is displayed.
func Upright(s esign.Spot) (width, height float64) {
	if s.Rotate == 90 || s.Rotate == 270 {
		return s.H, s.W
	}
	return s.W, s.H
}

// Matrix returns the matrix that makes the form stand upright on a page that is displayed
// turned clockwise by so many degrees (0, 90, 180 or 270). The form then takes Height by
// Width points of user space where it is turned by 90 or 270.
func (f *Form) Matrix(rotate int) [6]float64 {
	switch rotate {
	case 90:
		return [6]float64{0, 1, -1, 0, f.Height, 0}
	case 180:
		return [6]float64{-1, 0, 0, -1, f.Width, f.Height}
	case 270:
		return [6]float64{0, -1, 1, 0, 0, f.Width}
	default:
		return [6]float64{1, 0, 0, 1, 0, 0}
	}
}

// Add hands the form to a writer, for a page that is displayed turned by so many degrees,
// and returns the number of its object. add stores one object and returns its number; the
// dictionary comes without its brackets, with Length and with every filter that the stream
// has been through. A stream that is nil is none.
func (f *Form) Add(rotate int, add func(dictionary string, stream []byte) int) int {
	var resources strings.Builder
	resources.WriteString("/ColorSpace<</DefaultRGB[/CalRGB<<" + white + "/Gamma[2.2 2.2 2.2]/Matrix[.4124 .2126 .0193 .3576 .7152 .1192 .1805 .0722 .9505]>>]>>")
	references := func(kind string, names []string, number func(string) int) {
		if len(names) == 0 {
			return
		}
		resources.WriteString(kind + "<<")
		for _, name := range names {
			fmt.Fprintf(&resources, "/%s %d 0 R", name, number(name))
		}
		resources.WriteString(">>")
	}
	references("/Font", slices.Sorted(maps.Keys(f.Fonts)), func(name string) int { return f.Fonts[name].add(add) })
	references("/XObject", slices.Sorted(maps.Keys(f.Images)), func(name string) int { return f.Images[name].add(add) })
	m := f.Matrix(rotate)
	content := deflate(f.Content)
	return add(fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 %s %s]/Matrix[%s %s %s %s %s %s]/Resources<<%s>>/Filter/FlateDecode/Length %d",
		num(f.Width), num(f.Height), num(m[0]), num(m[1]), num(m[2]), num(m[3]), num(m[4]), num(m[5]), resources.String(), len(content)), content)
}

func (i *Image) add(add func(string, []byte) int) int {
	mask, space, filter := "", "/DeviceRGB", "FlateDecode"
	if i.Alpha != nil {
		mask = fmt.Sprintf("/SMask %d 0 R", i.Alpha.add(add))
	}
	switch {
	case i.Gray && i.mask:
		space = "/DeviceGray" // no other is allowed there
	case i.Gray:
		space = "[/CalGray<<" + white + "/Gamma 2.2>>]"
	}
	if i.JPEG {
		filter = "DCTDecode"
	}
	return add(fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace%s/Filter/%s%s/Length %d",
		i.Width, i.Height, space, filter, mask, len(i.Data)), i.Data)
}

func (f *Font) add(add func(string, []byte) int) int {
	packed := deflate(f.File)
	file := add(fmt.Sprintf("/Length1 %d/Filter/FlateDecode/Length %d", len(f.File), len(packed)), packed)
	descriptor := add(fmt.Sprintf("/Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d/CapHeight %d/StemV 80/FontFile2 %d 0 R",
		f.Name, f.Box[0], f.Box[1], f.Box[2], f.Box[3], f.Ascent, f.Descent, f.CapHeight, file), nil)
	var widths strings.Builder
	for i, w := range f.Widths {
		if i > 0 {
			widths.WriteByte(' ')
		}
		widths.WriteString(strconv.Itoa(w))
	}
	descendant := add(fmt.Sprintf("/Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R/DW 0/W[0[%s]]/CIDToGIDMap/Identity",
		f.Name, descriptor, widths.String()), nil)
	unicode := deflate(f.toUnicode())
	mapping := add(fmt.Sprintf("/Filter/FlateDecode/Length %d", len(unicode)), unicode)
	return add(fmt.Sprintf("/Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R", f.Name, descendant, mapping), nil)
}

// toUnicode returns the table that tells readers what the glyphs mean (ISO 32000-1, 9.10.3).
func (f *Font) toUnicode() []byte {
	var lines []string
	for glyph, text := range f.Text {
		if text != "" {
			lines = append(lines, fmt.Sprintf("<%04X> <%X>", glyph, utf16BE(text)))
		}
	}
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for part := range slices.Chunk(lines, 100) { // more may not stand in one table
		fmt.Fprintf(&b, "%d beginbfchar\n%s\nendbfchar\n", len(part), strings.Join(part, "\n"))
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

// num writes a number as PDF has it, with at most four decimals.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 4, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

// compressors are used again: making one costs more than what it does here.
var compressors = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	z, ok := compressors.Get().(*zlib.Writer)
	if !ok {
		panic("the pool holds nothing else")
	}
	z.Reset(&out)
	_, _ = z.Write(b) // a buffer takes everything
	_ = z.Close()
	compressors.Put(z)
	return out.Bytes()
}
