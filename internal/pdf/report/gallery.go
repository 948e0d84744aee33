package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"vidimus/internal/domain/result"
	"vidimus/internal/service/publish"
)

const (
	frameWidth  = 82.0
	frameHeight = 56.0
	frameGap    = body - 2*frameWidth
	captionSize = 7.0
)

// gallery draws the pictures, two a row, each whole on one page with its caption.
func (s *sheet) gallery(r publish.Report) {
	if len(r.Pictures) == 0 {
		return
	}
	s.section(s.words.pictures, frameHeight+24)
	for i := 0; i < len(r.Pictures); i += 2 {
		two := r.Pictures[i:min(i+2, len(r.Pictures))]
		captions, most := make([][]string, len(two)), 0
		for k, p := range two {
			captions[k] = s.caption(p, r.Result.Attachments)
			most = max(most, len(captions[k]))
		}
		height := frameHeight + 6 + float64(most)*step(captionSize) + 3
		s.room(height)
		for k, p := range two {
			x := left + float64(k)*(frameWidth+frameGap)
			s.frame(p, x)
			s.text(bold, textSize, ink, x, s.y+frameHeight+4.6, s.fonts.fit(bold, textSize, s.clean(s.name(p.Key)), frameWidth))
			for n, l := range captions[k] {
				s.text(sans, captionSize, soft, x, s.y+frameHeight+5.4+step(captionSize)*float64(n+1), l)
			}
		}
		s.y += height
	}
}

// caption are the lines below a picture's name: its file and when it was taken.
func (s *sheet) caption(p publish.Picture, files result.Attachments) []string {
	lines := s.fonts.wrap(sans, captionSize, s.clean(fileOf(p.Key, files)), frameWidth)
	if at := s.at(p.Taken); at != "" {
		lines = append(lines, fmt.Sprintf(s.words.takenAt, at))
	}
	return lines
}

func fileOf(key string, files result.Attachments) string {
	for _, f := range files {
		if f.Key == key {
			return f.Name
		}
	}
	return key
}

// frame draws a picture in the middle of its frame, as large as fits, but no larger than a
// point a pixel.
func (s *sheet) frame(p publish.Picture, x float64) {
	s.box(paper, x, s.y, frameWidth, frameHeight)
	image, err := readPicture(p.Bytes)
	if err != nil {
		s.text(sans, textSize, soft, x+4, s.y+frameHeight/2, s.fonts.fit(sans, textSize, s.words.unreadable, frameWidth-8))
		return
	}
	s.pictures = append(s.pictures, image)
	width, height := float64(image.width), float64(image.height)
	scale := min((frameWidth-2)/width, (frameHeight-2)/height, mmPerPoint)
	width, height = width*scale, height*scale
	x, y := x+(frameWidth-width)/2, s.y+(frameHeight+height)/2
	s.doc.RawWriteStr(fmt.Sprintf("q %.2f 0 0 %.2f %.2f %.2f cm /P%d Do Q",
		width/mmPerPoint, height/mmPerPoint, x/mmPerPoint, (sheetHeight-y)/mmPerPoint, len(s.pictures)))
}

// files lists pictures and recordings with their checksums.
func (s *sheet) files(r publish.Report) {
	var rows []row
	seen := map[string]bool{}
	for _, f := range r.Files {
		seen[f.Name] = true
	}
	for _, p := range r.Pictures {
		if name := fileOf(p.Key, r.Result.Attachments); !seen[name] {
			sum := sha256.Sum256(p.Bytes)
			rows = append(rows, row{cells: []string{name, s.size(int64(len(p.Bytes))), hex.EncodeToString(sum[:])}})
		}
	}
	for _, f := range r.Files {
		rows = append(rows, row{cells: []string{dash(f.Name), s.size(f.Size), dash(f.SHA256)}})
	}
	if len(rows) == 0 {
		return
	}
	s.section(s.words.files, 20)
	s.table([]column{
		textColumn(s.words.fileName, 62), textColumn(s.words.size, 32), {title: "SHA-256", width: 76, face: mono, size: 7},
	}, rows)
	s.y++
	s.paragraph(7, soft, s.words.filesNote)
}

// size writes a number of bytes with spaces between the thousands.
func (s *sheet) size(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && n > 0; i -= 3 {
		digits = digits[:i] + "\u00A0" + digits[i:]
	}
	return digits + "\u00A0" + s.words.bytes
}
