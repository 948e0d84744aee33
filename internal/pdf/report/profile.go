package report

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"math"
	"sync"
	"time"
)

// srgb returns an ICC profile of version 2.1 (ICC.1:2001-04) for sRGB: the transfer curve is
// that of IEC 61966-2-1, the colorants are its primaries, adapted from D65 to D50 by the
// Bradford matrix.
var srgb = sync.OnceValue(func() []byte {
	type tag struct {
		names string // four letters each
		data  []byte
	}
	xyz := func(x, y, z uint32) []byte {
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("XYZ \x00\x00\x00\x00"), x), y), z)
	}
	tags := []tag{
		{"desc", described("sRGB IEC61966-2.1")},
		{"cprt", []byte("text\x00\x00\x00\x00No copyright\x00")},
		{"wtpt", xyz(0xF351, 0x10000, 0x116CC)}, // D65
		{"rXYZ", xyz(0x6FA2, 0x38F5, 0x0390)},
		{"gXYZ", xyz(0x6299, 0xB785, 0x18DA)},
		{"bXYZ", xyz(0x24A0, 0x0F84, 0xB6CF)},
		{"rTRCgTRCbTRC", transfer()},
	}
	const entries = 9
	var table, data []byte
	for _, t := range tags {
		at := uint32(128 + 4 + 12*entries + len(data))
		for i := 0; i < len(t.names); i += 4 {
			table = append(table, t.names[i:i+4]...)
			table = binary.BigEndian.AppendUint32(table, at)
			table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
		}
		data = append(data, t.data...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	head := make([]byte, 128, 132)
	copy(head[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	for i, n := range []uint16{2026, 1, 1} {
		binary.BigEndian.PutUint16(head[24+2*i:], n)
	}
	copy(head[36:], "acsp")
	copy(head[68:], "\x00\x00\xF6\xD6\x00\x01\x00\x00\x00\x00\xD3\x2D") // D50
	head = binary.BigEndian.AppendUint32(head, entries)
	profile := append(append(head, table...), data...)
	binary.BigEndian.PutUint32(profile, uint32(len(profile)))
	return profile
})

// described is a tag of the type textDescriptionType, without its forms in Unicode and
// ScriptCode.
func described(text string) []byte {
	b := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(text)+1)) //nolint:gosec // a short text
	b = append(b, text...)
	return append(b, make([]byte, 1+4+4+2+1+67)...)
}

// transfer is a tag of the type curveType, from the stored value to light.
func transfer() []byte {
	const points = 256
	b := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), points)
	for i := range points {
		v := float64(i) / (points - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(v*65535)))
	}
	return b
}

// metadata returns the XMP packet that makes the file say what it is (ISO 19005-2, 6.6).
func metadata(title, author, product, language string, made time.Time) []byte {
	esc := func(s string) string {
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
		return b.String()
	}
	at := made.Format(time.RFC3339)
	return []byte("<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` + "\n" +
		`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/"` +
		` xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">` + "\n" +
		"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>\n" +
		"<dc:format>application/pdf</dc:format><dc:language><rdf:Bag><rdf:li>" + language + "</rdf:li></rdf:Bag></dc:language>\n" +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + esc(title) + "</rdf:li></rdf:Alt></dc:title>\n" +
		"<dc:creator><rdf:Seq><rdf:li>" + esc(author) + "</rdf:li></rdf:Seq></dc:creator>\n" +
		"<xmp:CreateDate>" + at + "</xmp:CreateDate><xmp:ModifyDate>" + at + "</xmp:ModifyDate><xmp:MetadataDate>" + at + "</xmp:MetadataDate>\n" +
		"<xmp:CreatorTool>" + esc(product) + "</xmp:CreatorTool><pdf:Producer>" + esc(product) + "</pdf:Producer>\n" +
		"</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>")
}
