#!/bin/sh
# Makes the files under asset/ anew: a spoken sound track and a film of a call between two
# drawn persons. It needs ffmpeg (with libx264 and libmp3lame), espeak-ng and Go; nothing
# else does, the products are part of the repository. Everything is synthesised here.
# The bytes depend on the versions of these programs.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exact="-map_metadata -1 -fflags +bitexact -flags:a +bitexact"
quiet="-hide_banner -loglevel error -y"

go run frames.go "$work"

# Two voices: the agent asks, the user answers.
espeak-ng -v en-gb+f3 -s 175 -w "$work/agent.wav" "This is a specimen call. Please show your document."
espeak-ng -v en-gb+m3 -s 175 -w "$work/user.wav" "Here it is. Nobody is identified."
ffmpeg $quiet -i "$work/agent.wav" -i "$work/user.wav" -filter_complex \
	"[0][1]concat=n=2:v=0:a=1,highpass=f=80,loudnorm=I=-19:TP=-2,aresample=22050,apad,atrim=0:5.6,afade=t=out:st=5.3:d=0.3[a]" \
	-map "[a]" -ac 1 -c:a pcm_s16le $exact "$work/talk.wav"

# An average of 36 kbit/s: this encoder ends up a fifth above what it is asked for.
ffmpeg $quiet -i "$work/talk.wav" -ac 1 -ar 22050 -c:a libmp3lame -abr 1 -b:a 30k \
	$exact -id3v2_version 0 asset/talk.mp3
ffmpeg $quiet -i "$work/talk.wav" -ac 1 -ar 11025 -c:a pcm_s16le $exact asset/talk.wav

# The agent on the left, the user on the right; both move a little, the user turns the
# head and then holds up the card.
ffmpeg $quiet -loop 1 -i "$work/agent0.png" -loop 1 -i "$work/agent1.png" \
	-loop 1 -i "$work/user0.png" -loop 1 -i "$work/user1.png" -loop 1 -i "$work/card.png" -i "$work/talk.wav" \
	-filter_complex "
	color=c=0x1b2026:s=640x360:r=15[floor];
	[0]scale=320:400[a0]; [1]scale=320:400[a1]; [2]scale=320:400[u0]; [3]scale=320:400[u1]; [4]scale=232:-2[card];
	color=c=0x1b2026:s=316x352:r=15,split[left][right];
	[left][a0]overlay=x='-2+2*sin(2*t)':y='-44+2*sin(3*t)'[l0];
	[l0][a1]overlay=x=-2:y='-44+2*sin(3*t)':enable='between(t,1.1,1.6)'[l];
	[right][u0]overlay=x='-2+2*sin(1.7*t)':y='-44+2*sin(2.3*t)'[r0];
	[r0][u1]overlay=x=-2:y='-44+2*sin(2.3*t)':enable='between(t,2.2,2.8)'[r1];
	[r1][card]overlay=x='42+3*sin(4*t)':y='max(176,352-(t-3)*260)':enable='gte(t,3)'[r];
	[floor][l]overlay=x=3:y=4[one]; [one][r]overlay=x=321:y=4,format=yuv420p[v]" \
	-map "[v]" -map 5:a -t 5.6 -c:v libx264 -profile:v main -level 3.0 -preset slow -crf 25 -g 30 -threads 1 -pix_fmt yuv420p \
	-c:a aac -b:a 40k -ar 22050 -ac 1 -movflags +faststart -flags:v +bitexact $exact asset/call.mp4

ls -l asset
