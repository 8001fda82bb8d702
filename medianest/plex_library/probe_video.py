"""One second of a grey picture: a real video of two kilobytes, for the test of the library. H.264 in MP4, packed."""

from __future__ import annotations

import base64
import zlib

_PACKED = (
    "c-nnbO=u)V6s}3kn)L_g5FsoH)S4(cWG3A`lWa0jV2JAusOZII6``r_s!li4-BqcoNoMx4DhLZA-aL3%7caUfh$r#jA^w2k&Aqsb7cUYo${vJ0Xv"
    "SAP6Q>h(n|@XAz53o?z1NKp!jb9AM2ife31oL5kM4$UCYvrolf6ucU4&4Y?ZylpdnOMGsv!H0pUQF6N%={1&u0SO_l=?*;9oJFBIe}3z1i6Jj`N>"
    "!?Xp;ii<}t^`y5ZT8CzJt)sgMQnT#bA7@V<_wJ#O);@5>xi&?6UPIeQ<%gBo$i#E+!$}OhyO_t;lFf+SZ;k2CQA{(B~F~y@&84q<;iidpV4Q+xH_"
    "<e0OD`7shP5Ym#u!S$8Htg*q#G}swes!bXI9GQa2d7EU^VXUri`l^d)^mW`sxb7x;AeDZ8}^UYeNSC^uTr&LDVFPZ9=r5(1)Yiyw%%TT^RK&it#M"
    "USEk}u1nhA^=-"
    "SX_KLqfCK6dgE9cnYCu%g;bzWxb{KaEzTA>Z+sjC3IXqvMYSefv@m{uaP}kg0st|f<ZrV8}>(l9xf5&6N=J=d<c8cWyVg%%NZ|r`<yLL0ZfjfQl{"
    "k|)RN(-J$}Oo>u{dY!njBp+7UrJyrLZ-Pe+Qw98Jz<fP&0EIW;vHeDu@#U%&X}R{OJemVd;z7JmEP_6*l>C=|you&Uu~tm1%j-"
    "h`&saJvqGmFHeKf1%dIn-"
    "{kL$#@6{TSE3z9vSR8PNU{Io(Ia<7};7`+1uNz+bI?)&FeyKuh=N{*kmbSgfxlBbqj|ypdoQFOe%5LFylcg!VYm;PRqeGr)ghv;`ACVr{^{rIOC+"
    "7#aMR(;9Lhw-3Mb>eZ`1dcfbl3oFzTZ{K6-"
    "g_=@J+oOn$f#!6(=x3<_Qo~DT=9$xRQv(SJl+{uUoIZ$?4<Y3?~yDpBXHonxIL|Vkq!H)Dr6lrcq&BG>EV4>kO6{1695d5)Dr%A}i3J2$^h!G|kH"
    "8zhVH(aF@K%fuOuA+TE6q%$3<Pa_ieq%`vE&!;g#YBo`T$6Pi__7at!k~!2r;JKda6v+CBp4nJbv5uFPqt$dKrkVB?r#eTr$eO#gAVV5Z{n>wBi4"
    "tX3t7cF<T($!hBO^q1h+S;xQ@YEh5kR)k~J%nP(?U{FO=J=Kp<YD?%*9;3vudz*^$<7vC|$|+W<xzE=dz75_$v^0WE}BbO-uxn~CfPzQC`(h9>;O"
    "gYW+Qe);w1f4CWcHUGifmt=n7@bmklXTCkVAM69{!OeH4-@1BbaCqb9br4T)UaMZHZVjgXutMe9>=STy`qD_q+9162H!CHA<N"
)


def probe_video() -> bytes:
    """The file as it is written into the library."""
    return zlib.decompress(base64.b85decode(_PACKED))
