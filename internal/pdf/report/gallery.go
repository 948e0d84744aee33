package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/publish"
)

// masthead draws who asked, what this is, how it ended, and the numbers to find it by.
func (s *sheet) masthead(r publish.Report) {
	p := r.Result.Process
	s.text(bold, 10, navy, left, s.y+3.5, s.fonts.fit(bold, 10, s.clean(r.Company), body))
	s.y += 6
	s.line(navy, left, right, s.y)
	s.y += 10
	s.text(bold, 19, ink, left, s.y, s.words.title)
	s.y += 6
	if preliminary(r) {
		s.box(tinted, left, s.y, body, 13)
		s.box(amber, left, s.y, 1.5, 13)
		s.text(bold, 11, amber, left+5, s.y+5.4, s.words.preliminary)
		s.text(sans, 8, ink, left+5, s.y+10.2, s.words.preliminaryNote)
		s.y += 16
	}
	s.badge(p.Result)
	at := p.IdentificationTime
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		at = s.at(t)
	}
	tracking := r.TrackingID
	if tracking == "" {
		tracking = r.Result.Custom.TrackingID
	}
	s.pair(s.words.number, p.TransactionNumber, s.words.id, p.ID)
	s.pair(s.words.tracking, tracking, s.words.time, at)
}

// badge draws the result: large, in words and with its code.
func (s *sheet) badge(code string) {
	shade := navy
	switch ident.State(code) {
	case ident.Success, ident.SuccessChanged:
		shade = green
	case ident.ReviewPending:
		shade = amber
	case ident.FraudPending, ident.FraudConfirmed, ident.Canceled, ident.Aborted:
		shade = red
	}
	const height = 18.0
	text := s.words.results[code]
	if text == "" {
		text = s.clean(code)
	}
	s.box(shade, left, s.y, body, height)
	s.text(sans, 7.5, white, left+5, s.y+5.2, s.words.resultTitle)
	s.text(bold, 14, white, left+5, s.y+12.8, s.fonts.fit(bold, 14, text, 112))
	s.textRight(mono, 8, white, right-5, s.y+12.8, s.fonts.fit(mono, 8, s.clean(code), 46))
	s.y += height + 5
}

// pair draws two named values beside each other.
func (s *sheet) pair(name1, value1, name2, value2 string) {
	const width, size = body/2 - 4, 9.0
	lines1 := s.fonts.wrap(mono, size, dash(s.clean(value1)), width)
	lines2 := s.fonts.wrap(mono, size, dash(s.clean(value2)), width)
	s.text(sans, 7.5, soft, left, s.y+2, name1)
	s.text(sans, 7.5, soft, left+body/2, s.y+2, name2)
	s.y += 3
	for i := range max(len(lines1), len(lines2)) {
		if s.room(step(size)) {
			s.y++
		}
		s.y += step(size)
		if i < len(lines1) {
			s.text(mono, size, ink, left, s.y, lines1[i])
		}
		if i < len(lines2) {
			s.text(mono, size, ink, left+body/2, s.y, lines2[i])
		}
	}
	s.y += 4
}

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
	s.paragraph(sans, 7, soft, s.words.filesNote)
}

// size writes a number of bytes with spaces between the thousands.
func (s *sheet) size(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && n > 0; i -= 3 {
		digits = digits[:i] + "\u00A0" + digits[i:]
	}
	return digits + "\u00A0" + s.words.bytes
}
